package api

import (
	"context"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/registration"
)

// requestPath names a registration request.
type requestPath struct {
	ID int64 `path:"request_id" doc:"Id of the registration request."`
}

func requestID64(c *Call) id.Request { return id.Request(c.ID("request_id")) }

// registrationRoutes are the way in: for everybody, and for those who decide.
func (s *Server) registrationRoutes() []route {
	return append(s.applicantRoutes(), s.requestRoutes()...)
}

func (s *Server) applicantRoutes() []route {
	const path, tag = "/api/tenants/register", "Registration"
	return []route{
		checked(op{Method: "POST", Path: path, ID: "register", Tag: tag, Refuses: []int{403, 409}, Summary: "Ask for an organization", May: auth.Public, Status: 201,
			Description: "The answer is the same whatever happens next, and whether the e-mail is known or not. The decision comes by mail; status_url always shows where the request stands."},
			func(ctx context.Context, _ *Call, in *struct{ Body registration.Input }) error {
				return s.Registration.Check(ctx, in.Body)
			},
			func(ctx context.Context, c *Call, in *struct{ Body registration.Input }) (registration.Receipt, error) {
				r, err := s.Registration.Register(ctx, c.Actor, registration.Visit{Host: c.Host}, in.Body)
				c.Created("%s", r.Location())
				return r, err
			}),
		read(op{Method: "GET", Path: path + "/slug", ID: "check-slug", Tag: tag, Summary: "Ask whether a slug is free", May: auth.Public,
			Description: "Free now: only register decides."},
			func(tx *db.Tx, _ *Call, in *struct {
				Slug string `query:"slug" required:"true" minLength:"1" maxLength:"100" doc:"The slug wanted." example:"acme-corp"`
			}) (registration.SlugAnswer, error) {
				return registration.SlugStatus(tx, in.Slug)
			}),
		read(op{Method: "GET", Path: path + "/status", ID: "registration-status", Tag: tag, Refuses: []int{404}, Summary: "See where a request stands", May: auth.Public,
			Description: "By the signed link that register answered and every mail carries."},
			func(tx *db.Tx, _ *Call, in *struct {
				Token string `query:"token" required:"true" minLength:"1" maxLength:"512" doc:"Of status_url."`
			}) (registration.Standing, error) {
				return s.Registration.StatusByToken(tx, in.Token)
			}),
	}
}

func (s *Server) requestRoutes() []route {
	const path, tag = "/api/tenants/requests", "Registration requests"
	lock := func(tx *db.Tx, c *Call) (int64, error) { return registration.Lock(tx, requestID64(c)) }
	return []route{
		read(op{Method: "GET", Path: path, ID: "list-requests", Tag: tag, Summary: "List registration requests", May: auth.RequestRead},
			func(tx *db.Tx, _ *Call, in *requestList) (page.List[registration.Request], error) {
				r, err := in.page()
				if err != nil {
					return page.List[registration.Request]{}, err
				}
				return registration.List(tx, in.filter(), r)
			}),
		read(op{Method: "GET", Path: path + "/stats", ID: "request-stats", Tag: tag, Summary: "Count registration requests", May: auth.RequestRead,
			Description: "How far the requests of the last days came, by day and by campaign."},
			func(tx *db.Tx, _ *Call, in *struct {
				Days int `query:"days" default:"30" minimum:"1" maximum:"365" doc:"How many days to count, today included."`
			}) (registration.Stats, error) {
				return registration.Statistics(tx, in.Days)
			}),
		read(op{Method: "GET", Path: path + "/{request_id}", ID: "get-request", Tag: tag, Summary: "Read a registration request", May: auth.RequestRead},
			func(tx *db.Tx, c *Call, _ *requestPath) (registration.Request, error) {
				return registration.Find(tx, requestID64(c))
			}),
		changeOr(op{Method: "POST", Path: path + "/{request_id}/approve", ID: "approve-request", Tag: tag, Refuses: []int{409}, Summary: "Approve a request", May: auth.RequestManage, Lock: lock,
			Description: "Keeps what is to be different from the settings' defaults and reserves the slug. It creates nothing, unless provision is true: should that fail, the request stays approved and tells the step."},
			func(tx *db.Tx, c *Call, in *struct {
				requestPath
				Body registration.Approval
			}) (registration.Request, error) {
				return s.Registration.Approve(tx, c.Actor, requestID64(c), in.Body)
			}, func(tx *db.Tx, c *Call, in *struct {
				requestPath
				Body registration.Approval
			}, cause error) error {
				return s.Registration.KeepApproval(tx, c.Actor, requestID64(c), in.Body, cause)
			}),
		change(op{Method: "POST", Path: path + "/{request_id}/reject", ID: "reject-request", Tag: tag, Refuses: []int{409}, Summary: "Reject a request", May: auth.RequestManage, Lock: lock,
			Description: "The applicant reads the reason; the password is deleted and the slug is free again."},
			func(tx *db.Tx, c *Call, in *struct {
				requestPath
				Body registration.Rejection
			}) (registration.Request, error) {
				return s.Registration.Reject(tx, c.Actor, requestID64(c), in.Body)
			}),
		changeOr(op{Method: "POST", Path: path + "/{request_id}/provision", ID: "provision-request", Tag: tag, Refuses: []int{409}, Summary: "Provision an approved request", May: auth.RequestManage, Lock: lock,
			Description: "Makes the organization, its owner and accounts, all or nothing. Again on an active request it answers the same. After a failure the request stays approved and tells the step."},
			func(tx *db.Tx, c *Call, _ *requestPath) (registration.Provisioned, error) {
				return s.Registration.Provision(tx, c.Actor, requestID64(c))
			}, func(tx *db.Tx, c *Call, _ *requestPath, cause error) error {
				return registration.RecordFailure(tx, c.Actor, cause)
			}),
	}
}

// requestList narrows the list of requests.
type requestList struct {
	ListInput
	Status      string `query:"status" enum:"pending_approval,approved,rejected,active" doc:"Where the request stands."`
	Q           string `query:"q" maxLength:"200" doc:"Part of the e-mail, company, person, name or slug."`
	UTMSource   string `query:"utm_source" maxLength:"255" doc:"Requests that came with exactly this utm_source."`
	UTMMedium   string `query:"utm_medium" maxLength:"255" doc:"Requests that came with exactly this utm_medium."`
	UTMCampaign string `query:"utm_campaign" maxLength:"255" doc:"Requests that came with exactly this utm_campaign."`
}

func (in *requestList) filter() registration.Filter {
	return registration.Filter{
		Status: registration.Status(in.Status), Q: in.Q,
		UTMSource: in.UTMSource, UTMMedium: in.UTMMedium, UTMCampaign: in.UTMCampaign,
	}
}
