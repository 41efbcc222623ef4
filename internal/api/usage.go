package api

import (
	"bytes"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/usage"
)

const usageTag = "Usage"

// usageRoutes tell what organizations use.
func (s *Server) usageRoutes() []route {
	held := " Open to members while their organization is suspended."
	return []route{
		read(op{Method: "GET", Path: orgPath + "/usage", ID: "get-organization-usage", Tag: orgsTag, Summary: "Read the usage of an organization", May: auth.OrganizationUsage,
			Description: "Seats, storage, bandwidth of the current month, credits; limits are the effective ones." + held},
			func(tx *db.Tx, c *Call, _ *struct{}) (usage.Usage, error) { return usage.Of(tx, c.Organization) }),
		read(op{Method: "GET", Path: orgPath + "/usage/history", ID: "get-usage-history", Tag: usageTag, Summary: "Read the history of a meter", May: auth.OrganizationUsage,
			Description: "By hour (at most 745) or day (at most 366) of the billing time zone, beside as many steps just before. With Accept: text/csv as CSV." + held, Answers: usage.History{}}, history),
		read(op{Method: "GET", Path: orgPath + "/usage/forecast", ID: "get-usage-forecast", Tag: usageTag, Summary: "See when limits run out at this pace", May: auth.OrganizationUsage,
			Description: "The pace is the average of the last seven days." + held},
			func(tx *db.Tx, c *Call, _ *struct{}) (usage.Forecast, error) {
				return usage.ForecastOf(tx, c.Organization)
			}),
		read(op{Method: "GET", Path: orgPath + "/usage/plugins", ID: "get-plugin-usage", Tag: usageTag, Summary: "Read what each plugin uses", May: auth.OrganizationUsage,
			Description: "Credits and meters by plugin: in the current month, or in the days from from to to, at most 366. A gauge is as it stands in the end." + held},
			func(tx *db.Tx, c *Call, in *SpanInput) (usage.PluginUsage, error) {
				s, err := in.span()
				if err != nil {
					return usage.PluginUsage{}, err
				}
				return usage.ByPlugin(tx, c.Organization, s)
			}),
		read(op{Method: "GET", Path: orgPath + "/usage/limits", ID: "get-usage-limits", Tag: usageTag, Summary: "Read the limits of every meter", May: auth.OrganizationUsage,
			Description: "The effective limit is the least of the organization's, its admin's group's (unless the group oversells) and the platform's." + held},
			func(tx *db.Tx, c *Call, _ *struct{}) (usage.MeterLimits, error) {
				return usage.Limits(tx, c.Organization)
			}),
		change(op{Method: "PUT", Path: orgPath + "/usage/limits/{key}", ID: "set-usage-limit", Tag: usageTag, Refuses: []int{409}, Summary: "Set the limit or mode of a meter for an organization", May: auth.OrganizationManage,
			Description: "Merges: an absent field stays. The limits of the built-in meters are set with the organization."},
			func(tx *db.Tx, c *Call, in *struct {
				MeterPath
				Body usage.LimitPatch
			}) (usage.MeterLimit, error) {
				return usage.SetLimit(tx, c.Actor, c.Organization, c.Admin, in.Key, in.Body)
			}),
		read(op{Method: "GET", Path: "/api/tenants/usage/plugins", ID: "list-plugin-usage", Tag: usageTag, Summary: "Read what each plugin uses of all organizations", May: auth.UsageTop,
			Description: "Credits and meters by plugin, of all organizations together: a superadmin sees all, the people of an admin its own. In the current month, or in the days from from to to, at most 92."},
			pluginsOfAll),
		read(op{Method: "GET", Path: "/api/tenants/usage/top", ID: "list-top-usage", Tag: usageTag, Summary: "List the organizations that use most", May: auth.UsageTop,
			Description: "A superadmin sees all, the people of an admin its own. Most first."},
			func(tx *db.Tx, c *Call, in *struct {
				ListInput
				Meter string `query:"meter" required:"true" maxLength:"64" example:"bandwidth_bytes" doc:"Key of the meter."`
			}) (page.List[usage.Top], error) {
				r, err := in.page()
				if err != nil {
					return page.List[usage.Top]{}, err
				}
				return usage.TopOf(tx, auth.Visible(auth.UsageTop, c.Principal), in.Meter, r)
			}),
		read(op{Method: "GET", Path: "/api/tenants/usage/near-limits", ID: "get-near-limits", Tag: usageTag, Summary: "See which organizations have used most of a limit", May: auth.UsageTop,
			Description: "Those at 80 % of an effective limit or beyond it, the highest percentage first. A superadmin sees all, the people of an admin its own."},
			func(tx *db.Tx, c *Call, in *struct {
				Limit int `query:"limit" default:"50" minimum:"1" maximum:"200" doc:"How many to answer; total counts the others too."`
			}) (usage.Pressure, error) {
				return usage.PressureOf(tx, auth.Visible(auth.UsageTop, c.Principal), in.Limit)
			}),
	}
}

type historyInput struct {
	Meter  string `query:"meter" required:"true" maxLength:"64" example:"bandwidth_bytes" doc:"Key of the meter."`
	From   string `query:"from" format:"date-time" doc:"Where it begins; without it the current month."`
	To     string `query:"to" format:"date-time" doc:"Before this time; without it now."`
	Step   string `query:"step" enum:"hour,day" default:"day" doc:"How long each part is."`
	Plugin string `query:"plugin" maxLength:"64" doc:"What this plugin reported alone."`
}

// SpanInput is a period of whole days.
type SpanInput struct {
	From string `query:"from" format:"date-time" doc:"In whose day it begins; without it the current month."`
	To   string `query:"to" format:"date-time" doc:"Before this time, to the end of its day; without it now."`
}

func (in *SpanInput) span() (usage.Span, error) {
	from, to, err := period(in.From, in.To)
	return usage.Span{From: from, To: to}, err
}

func pluginsOfAll(tx *db.Tx, c *Call, in *struct {
	SpanInput
	Admin int64 `query:"admin_id" minimum:"1" doc:"Of the organizations of this admin alone."`
}) (usage.PluginTotals, error) {
	s, err := in.span()
	if err != nil {
		return usage.PluginTotals{}, err
	}
	return usage.ByPluginOf(tx, auth.Visible(auth.UsageTop, c.Principal).Narrow(id.Admin(in.Admin)), s)
}

func history(tx *db.Tx, c *Call, in *historyInput) (any, error) {
	from, to, err := period(in.From, in.To)
	if err != nil {
		return nil, err
	}
	h, err := usage.HistoryOf(tx, c.Organization, usage.Query{Meter: in.Meter, From: from, To: to, Step: usage.Step(in.Step), Plugin: in.Plugin})
	if err != nil {
		return nil, err
	}
	c.w.Header().Set("Vary", "Accept")
	if !prefersCSV(c.Header("Accept")) {
		return h, nil
	}
	var b bytes.Buffer
	err = h.WriteCSV(&b)
	return raw{Body: b.Bytes(), ContentType: "text/csv; charset=utf-8", Vary: "Accept", Filename: "usage.csv"}, err
}

// MeterPath names a meter of the catalogue.
type MeterPath struct {
	Key string `path:"key" maxLength:"64" doc:"Key of the meter."`
}

// meterRoutes are the catalogue of meters.
func (s *Server) meterRoutes() []route {
	const path, tag = "/api/tenants/meters", "Meters"
	lock := func(tx *db.Tx, c *Call) (int64, error) { return usage.LockMeter(tx, c.r.PathValue("key")) }
	return []route{
		read(op{Method: "GET", Path: path, ID: "list-meters", Tag: tag, Summary: "List what can be measured", May: auth.MeterList},
			func(tx *db.Tx, _ *Call, in *struct {
				ListInput
				Q string `query:"q" maxLength:"200" doc:"Part of key or name."`
			}) (page.List[usage.Meter], error) {
				r, err := in.page()
				if err != nil {
					return page.List[usage.Meter]{}, err
				}
				return usage.Meters(tx, in.Q, r)
			}),
		change(op{Method: "POST", Path: path, ID: "create-meter", Tag: tag, Refuses: []int{409}, Summary: "Add a meter", May: auth.MeterManage, Status: 201},
			func(tx *db.Tx, c *Call, in *struct{ Body usage.NewMeter }) (usage.Meter, error) {
				m, err := usage.CreateMeter(tx, c.Actor, in.Body)
				c.Created(path+"/%s", m.Key)
				return m, err
			}),
		read(op{Method: "GET", Path: path + "/{key}", ID: "get-meter", Tag: tag, Summary: "Read a meter", May: auth.MeterList},
			func(tx *db.Tx, _ *Call, in *MeterPath) (usage.Meter, error) { return usage.MeterOf(tx, in.Key) }),
		change(op{Method: "PUT", Path: path + "/{key}", ID: "update-meter", Tag: tag, Summary: "Change a meter", May: auth.MeterManage, Lock: lock,
			Description: "Merges: an absent field stays. Key and kind never change."},
			func(tx *db.Tx, c *Call, in *struct {
				MeterPath
				Body usage.MeterPatch
			}) (usage.Meter, error) {
				return usage.UpdateMeter(tx, c.Actor, in.Key, in.Body)
			}),
		change(op{Method: "DELETE", Path: path + "/{key}", ID: "delete-meter", Tag: tag, Refuses: []int{409}, Summary: "Take a meter out of the catalogue", May: auth.MeterManage, Lock: lock,
			Description: "A built-in one, and one that something was measured by or limited, is refused as in_use."},
			func(tx *db.Tx, c *Call, in *MeterPath) (none, error) {
				return none{}, usage.DeleteMeter(tx, c.Actor, in.Key)
			}),
	}
}
