package api

import (
	"context"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/page"
)

const membersTag = "Members"

// memberRoutes are the people of an organization and those who are invited.
func (s *Server) memberRoutes() []route {
	return append(members(), s.invitations()...)
}

func members() []route {
	const path = orgPath + "/members"
	user := func(c *Call) id.User { return id.User(c.ID("user_id")) }
	lock := func(tx *db.Tx, c *Call) (int64, error) { return org.LockMember(tx, c.Organization, user(c)) }
	return []route{
		read(op{Method: "GET", Path: path, ID: "list-members", Tag: membersTag, Summary: "List members", May: auth.MembersRead},
			func(tx *db.Tx, c *Call, in *struct {
				ListInput
				Q    string `query:"q" maxLength:"200" doc:"Part of name or e-mail."`
				Role string `query:"role" enum:"owner,manager,member" doc:"Members of this role."`
			}) (page.List[org.Member], error) {
				r, err := in.page()
				if err != nil {
					return page.List[org.Member]{}, err
				}
				return org.Members(tx, c.Organization, org.MemberFilter{Role: org.Role(in.Role), Q: in.Q}, r)
			}),
		read(op{Method: "GET", Path: path + "/{user_id}", ID: "get-member", Tag: membersTag, Summary: "Read a member", May: auth.MembersRead},
			func(tx *db.Tx, c *Call, _ *struct{}) (org.Member, error) {
				return org.MemberOf(tx, c.Organization, user(c))
			}),
		change(op{Method: "PUT", Path: path + "/{user_id}", ID: "change-member-role", Tag: membersTag, Refuses: []int{409}, Summary: "Change the role of a member", May: auth.MembersManage, Lock: lock,
			Description: "A manager neither changes nor makes owners. The last owner stays one."},
			func(tx *db.Tx, c *Call, in *struct{ Body org.MemberChange }) (org.Member, error) {
				return org.ChangeRole(tx, c.Actor, c.Organization, user(c), in.Body)
			}),
		change(op{Method: "DELETE", Path: path + "/{user_id}", ID: "remove-member", Tag: membersTag, Refuses: []int{409}, Summary: "Remove a member", May: auth.MembersManage, Lock: lock},
			func(tx *db.Tx, c *Call, _ *struct{}) (none, error) {
				return none{}, org.RemoveMember(tx, c.Actor, c.Organization, user(c))
			}),
	}
}

func (s *Server) invitations() []route {
	const path = orgPath + "/invitations"
	lock := func(tx *db.Tx, c *Call) (int64, error) {
		i, err := org.InvitationOf(tx, c.Organization, id.Invitation(c.ID("id")))
		return i.Revision(), err
	}
	return []route{
		read(op{Method: "GET", Path: path, ID: "list-invitations", Tag: membersTag, Summary: "List invitations", May: auth.MembersRead},
			func(tx *db.Tx, c *Call, in *struct {
				ListInput
				Q     string `query:"q" maxLength:"200" doc:"Part of the e-mail."`
				State string `query:"state" enum:"open,accepted,revoked,expired" doc:"Invitations in this state."`
			}) (page.List[org.Invitation], error) {
				r, err := in.page()
				if err != nil {
					return page.List[org.Invitation]{}, err
				}
				return org.Invitations(tx, c.Organization, org.InvitationFilter{State: org.InvitationState(in.State), Q: in.Q}, r)
			}),
		change(op{Method: "POST", Path: path, ID: "invite-member", Tag: membersTag, Refuses: []int{409}, Summary: "Invite somebody", May: auth.MembersManage, Status: 201, Secret: true,
			Description: "Takes a seat for seven days and mails a link. accept_url is another one, for the inviter to hand over; it is shown this once."},
			func(tx *db.Tx, c *Call, in *struct{ Body org.NewInvitation }) (org.Issued, error) {
				i, err := s.Organizations.Invite(tx, c.Actor, c.Organization, in.Body)
				c.Created(orgsPath+"/%d/invitations/%d", c.Organization, i.ID)
				return i, err
			}),
		read(op{Method: "GET", Path: path + "/{id}", ID: "get-invitation", Tag: membersTag, Summary: "Read an invitation", May: auth.MembersRead},
			func(tx *db.Tx, c *Call, _ *struct{}) (org.Invitation, error) {
				return org.InvitationOf(tx, c.Organization, id.Invitation(c.ID("id")))
			}),
		change(op{Method: "DELETE", Path: path + "/{id}", ID: "revoke-invitation", Tag: membersTag, Refuses: []int{409}, Summary: "Revoke an invitation", May: auth.MembersManage, Lock: lock},
			func(tx *db.Tx, c *Call, _ *struct{}) (none, error) {
				return none{}, org.Revoke(tx, c.Actor, c.Organization, id.Invitation(c.ID("id")))
			}),
		direct(op{Method: "POST", Path: "/api/auth/invitations/accept", ID: "accept-invitation", Tag: membersTag, Refuses: []int{401, 403}, Summary: "Accept an invitation", May: auth.Public,
			Description: "A person with a verified account just joins; one whose address is not verified gives the account's password, or is signed in. Anybody else makes an account with password and name."},
			func(ctx context.Context, c *Call, in *struct{ Body org.Acceptance }) (org.Joined, error) {
				return s.Organizations.Accept(ctx, c.Actor, c.Principal.User.ID, in.Body)
			}),
	}
}
