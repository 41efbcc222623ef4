package demo

// reseller data: who brings customers, and how they look.
type brandData struct {
	name, company, domain string // the domain is <label>.example
	group                 int    // index of groups, -1 for none
	owner                 string
	app, primary, second  string
	hidePoweredBy, portal bool // portal: a verified custom domain
	suspended             string
	grants                []int64 // one in fifteen days, the oldest first
}

var brands = []brandData{
	{name: "Northwind Digital", company: "Northwind Digital GmbH", domain: "northwind", group: 0, owner: "Lena Hoffmann", app: "Northwind Cloud", primary: "#0B5CAD", second: "#F2A900", hidePoweredBy: true, portal: true, grants: []int64{15_000, 10_000, 16_000, 18_000, 22_000, 20_000}},
	{name: "Blue Harbor Agency", company: "Blue Harbor Agency Ltd", domain: "blueharbor", group: 0, owner: "Oliver Bennett", app: "Harbor Suite", primary: "#12355B", second: "#2A9D8F", hidePoweredBy: true, portal: true, grants: []int64{8_000, 6_000, 14_000, 10_000, 26_000, 18_000}},
	{name: "Kiezwerk", company: "Kiezwerk UG", domain: "kiezwerk", group: 1, owner: "Deniz Aydin", app: "Kiezwerk Office", primary: "#7A1F3D", second: "#E9C46A", portal: true, grants: []int64{5_000, 4_000, 9_000, 8_000, 9_000, 12_000}},
	{name: "Atlas Partners", company: "Atlas Partners S.A.", domain: "atlaspartners", group: 1, owner: "Camille Laurent", app: "Atlas Workspace", primary: "#264653", second: "#E76F51", grants: []int64{6_000, 5_000, 7_000, 6_000, 9_000, 8_000}},
	{name: "Greenfield IT", company: "Greenfield IT B.V.", domain: "greenfield-it", group: 1, owner: "Sanne de Vries", app: "Greenfield", primary: "#2D6A4F", second: "#B7E4C7", grants: []int64{2_000, 4_000, 5_000, 4_000, 7_000, 6_000}},
	{name: "Studio Lumen", company: "Studio Lumen S.r.l.", domain: "studiolumen", group: 2, owner: "Marco Ricci", app: "Lumen", primary: "#5A189A", second: "#FF9E00", grants: []int64{1_500, 1_500, 1_000, 2_000, 2_000, 3_000}},
	{name: "Pioneer Consulting", company: "Pioneer Consulting LLC", domain: "pioneer", group: 2, owner: "Grace Miller", app: "Pioneer Desk", primary: "#9B2226", second: "#005F73", suspended: "Payment overdue: invoices of two months are open", grants: []int64{1_500, 1_000, 1_500, 1_500, 1_500}},
	{name: "Fjord Solutions", company: "Fjord Solutions AS", domain: "fjord", group: -1, owner: "Ingrid Larsen", app: "Fjord", primary: "#1D3557", second: "#A8DADC", grants: []int64{1_500, 1_000, 1_500, 2_000, 1_500, 1_500}},
}

// companies that ask for an organization; the first are the oldest.
var companies = []string{
	"Adler Optik", "Baker & Sons", "Casa Verde", "Delta Logistics", "Elbe Software", "Falcon Freight", "Gartenbau Neumann", "Helvetia Tours",
	"Iris Dental", "Juniper Books", "Kaltwasser Brewery", "Lighthouse Media", "Meridian Law", "Nordstern Energy", "Oakwood Furniture", "Papier & Co",
	"Quantum Labs", "Riverside Clinic", "Sonnenhof Hotel", "Tempo Couriers", "Urban Bikes", "Vista Realty", "Weber Elektro", "Xenia Cosmetics",
	"Yellow Door Studio", "Zenith Robotics", "Alpine Outfitters", "Bright Kids School", "Copper Kettle", "Dune Architects", "Ember Ceramics", "Fresh Basket",
	"Granite Partners", "Harvest Moon Foods", "Inkwell Publishing", "Jade Wellness", "Kompass Travel", "Lakeside Dental", "Maple Insurance", "Nova Events",
	"Orchid Interiors", "Pinnacle Sports", "Quarry Stone Works", "Redwood Finance", "Silverline Motors", "Terra Geodata", "Umbra Security", "Violet Fashion",
	"Willow Veterinary", "Xylo Instruments", "Yarrow Pharmacy", "Zephyr Sailing", "Arbor Landscaping", "Beacon Analytics", "Cobalt Engineering", "Dahlia Florists",
	"Evergreen Schools", "Foxglove Apps", "Glacier Water", "Horizon Aviation", "Ivory Piano House", "Jetstream Cargo", "Keystone Builders", "Lumen Optics",
	"Mosaic Tiles", "Nimbus Weather", "Opal Jewellers", "Prairie Dairy", "Quill Accounting", "Raven Games", "Saffron Kitchen", "Topaz Travel",
	"Ultra Clean", "Vega Telecom", "Wildflower Honey", "Yonder Camping", "Zinc Metals", "Aurora Spa", "Birch & Bloom", "Cedar Health",
}

var firstNames = []string{
	"Anna", "Ben", "Clara", "David", "Elif", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Liam", "Mia", "Noah", "Olga", "Paul",
	"Ruth", "Samir", "Tess", "Uwe", "Vera", "Wanda", "Yusuf", "Zoe", "Aisha", "Bruno", "Chloe", "Daan", "Emma", "Finn", "Giulia", "Henrik",
}

var lastNames = []string{
	"Albrecht", "Brown", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haas", "Ivanov", "Jensen", "Kaya", "Lindqvist", "Moreau", "Novak",
	"O'Brien", "Petrov", "Quist", "Rossi", "Schmidt", "Taylor", "Urban", "Vogel", "Walker", "Yilmaz", "Zimmer", "Andersson", "Bauer", "Conti",
}

// utm is where visitors come from; most requests know it.
var utm = [][3]string{
	{"google", "cpc", "summer"}, {"google", "cpc", "brand"}, {"google", "organic", ""}, {"linkedin", "social", "founders"},
	{"newsletter", "email", "october"}, {"partner", "referral", "resellers"}, {"bing", "cpc", "summer"}, {"", "", ""}, {"", "", ""},
}

// refusals are the reasons of rejections.
var refusals = []string{
	"Invalid business information provided", "We could not verify the company; please send a register extract and ask again.",
	"The contact address is of a throw-away service.", "This looks like a second request of a company that is with us already.",
	"We do not serve this line of business.", "The applicant did not answer our questions within two weeks.",
}

// agents are the browsers of the demo's people.
var agents = []string{
	"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
}
