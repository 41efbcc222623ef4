package console

// T gives a sentence in the language of the page.
func (v *view) T(s string) string {
	if v.Lang == "de" {
		if d, ok := german[s]; ok {
			return d
		}
	}
	return s
}

// german holds every sentence of the light pages; a test finds what is missing.
var german = map[string]string{
	"":                                       "",
	"Sign in":                                "Anmelden",
	"Sign up":                                "Registrieren",
	"E-mail":                                 "E-Mail",
	"Password":                               "Passwort",
	"New password":                           "Neues Passwort",
	"Company":                                "Firma",
	"Your name":                              "Ihr Name",
	"Phone":                                  "Telefon",
	"Link":                                   "Link",
	"optional":                               "freiwillig",
	"Accept":                                 "Annehmen",
	"Suspended":                              "Gesperrt",
	"Support":                                "Hilfe",
	"Referral code":                          "Empfehlungscode",
	"Request":                                "Anfrage",
	"Short name in addresses":                "Kurzname in Adressen",
	"Forgot the password?":                   "Passwort vergessen?",
	"Forgot the password":                    "Passwort vergessen",
	"Send the link":                          "Link senden",
	"Send the request":                       "Anfrage senden",
	"Set the password":                       "Passwort setzen",
	"Ask for another link":                   "Einen neuen Link anfordern",
	"Accept the invitation":                  "Einladung annehmen",
	"Set up Tenantry":                        "Tenantry einrichten",
	"Make the first superadmin":              "Ersten Superadmin anlegen",
	"This makes the first superadmin.":       "Hiermit entsteht der erste Superadmin.",
	"If you are new here.":                   "Wenn Sie neu hier sind.",
	"Your request":                           "Ihre Anfrage",
	"Received":                               "Eingegangen",
	"Approved":                               "Genehmigt",
	"Ready":                                  "Bereit",
	"Rejected":                               "Abgelehnt",
	"Check again":                            "Erneut nachsehen",
	"To the start":                           "Zum Anfang",
	"API reference":                          "API-Referenz",
	"There is no such page":                  "Diese Seite gibt es nicht",
	"The address leads nowhere.":             "Die Adresse führt nirgendwohin.",
	"The console is not built":               "Die Konsole ist nicht gebaut",
	"You are signed out.":                    "Sie sind abgemeldet.",
	"Paste the link here, as you got it.":    "Fügen Sie den Link hier ein, wie Sie ihn bekommen haben.",
	"A long one; a sentence is good.":        "Ein langes; ein Satz ist gut.",
	"A new one, or the one of your account.": "Ein neues, oder das Ihres Kontos.",
	"Ask for an organization. We answer by mail.":                                        "Beantragen Sie eine Organisation. Wir antworten per E-Mail.",
	"We mail you a link to set a new one.":                                               "Wir senden Ihnen einen Link, mit dem Sie ein neues setzen.",
	"Your password is set. Sign in with it.":                                             "Ihr Passwort ist gesetzt. Melden Sie sich damit an.",
	"You are a member now. Sign in.":                                                     "Sie sind jetzt Mitglied. Melden Sie sich an.",
	"The first superadmin is there. Sign in.":                                            "Der erste Superadmin ist angelegt. Melden Sie sich an.",
	"This service is suspended at the moment.":                                           "Dieser Dienst ist zurzeit gesperrt.",
	"We look at your request and answer by mail.":                                        "Wir prüfen Ihre Anfrage und antworten per E-Mail.",
	"Your request is approved; your organization is being made.":                         "Ihre Anfrage ist genehmigt; Ihre Organisation wird eingerichtet.",
	"Your organization is ready.":                                                        "Ihre Organisation ist bereit.",
	"Your request was not accepted.":                                                     "Ihre Anfrage wurde nicht angenommen.",
	"The console needs JavaScript.":                                                      "Die Konsole braucht JavaScript.",
	"Lower-case letters, digits and hyphens. Without one we derive it from the company.": "Kleinbuchstaben, Ziffern und Bindestriche. Ohne ihn leiten wir ihn von der Firma ab.",
	"If we know this address, a link is on its way. It works once, for an hour.":         "Wenn wir diese Adresse kennen, ist ein Link unterwegs. Er gilt einmal, eine Stunde lang.",
	"This link is not valid. Use the one from your mail, whole.":                         "Dieser Link ist ungültig. Nehmen Sie den aus Ihrer E-Mail, ganz.",
	"This binary was made without the console. With Node.js 20 or later, run `make build` in the source tree; everything else works, the API's reference included.": "Dieses Programm wurde ohne die Konsole gebaut. Mit Node.js ab 20 entsteht sie im Quellbaum durch `make build`; alles andere geht, auch die API-Referenz.",
	"This one is free.":       "Dieser ist frei.",
	"This one is taken.":      "Dieser ist vergeben.",
	"This one cannot be had.": "Dieser geht nicht.",
	"Free ones:":              "Frei sind:",
	"Main":                    "Hauptbereich",
}
