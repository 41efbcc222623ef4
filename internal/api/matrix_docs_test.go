package api_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
)

// The published matrices are the expectations of TestMatrix in words, and so
// what it has seen to hold.
func TestMatrixDocs(t *testing.T) {
	s := &api.Server{DB: new(db.DB)}
	s.Handler()
	ops := s.Operations()
	for file, text := range map[string]string{
		"../../docs/authorization-matrix.md": authorizationDoc(t, ops),
		"../../docs/suspension-matrix.md":    suspensionDoc(ops),
	} {
		if *update {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		was, err := os.ReadFile(file)
		if err != nil || string(was) != text {
			t.Errorf("%s is not current (%v): make docs", file, err)
		}
	}
}

const authorizationHead = `# Who may do what

Made from the authorization table by ` + "`make docs`" + `; a test fails when it is not current. What stands here is what the
same test asks of the running handler: every route, as every principal, for every object, on both engines.
The table is served at ` + "`GET /api/tenants/authz/matrix`" + `, and why one user may or may not do one thing at
` + "`GET /api/tenants/authz/explain`" + `.

A person has all the roles that are held at the moment; one that may is enough. A wrong role is 403 before the body is
read. What lies outside the caller's tenancy is 404, word for word as if it did not exist.

| | |
| --- | --- |
| ✓ | may, within the own tenancy: a superadmin everywhere; an admin's staff in it and its organizations; members in their organization; a key in its organization, a platform-wide one in all |
| self | touches only what is the caller's own |
| – | 403 ` + "`forbidden`" + ` |
| public | needs no sign-in; an invalid token counts as none |
`

// capacities are the roles of the authorization document.
var capacities = []struct{ title, who string }{
	{"superadmin", "superadmin"}, {"admin", "admin A"}, {"owner", "owner"}, {"manager", "manager"}, {"member", "member"}, {"key with the scope", "organization key"},
}

func authorizationDoc(t *testing.T, ops []api.Operation) string {
	var b strings.Builder
	b.WriteString(authorizationHead)
	for _, chapter := range chapters(ops) {
		fmt.Fprintf(&b, "\n## %s\n\n| request |", chapter[0].Tag)
		for _, c := range capacities {
			b.WriteString(" " + c.title + " |")
		}
		b.WriteString(" permission |\n" + rule(len(capacities)+2))
		for _, o := range chapter {
			b.WriteString("| " + requestName(o) + " |")
			for _, c := range capacities {
				b.WriteString(" " + mark(cell{op: o, who: like(c.who), object: own}) + " |")
			}
			name := "`" + o.Permission + "`"
			if scope := row(o).Scope; scope != "" {
				name += ", scope `" + string(scope) + "`"
			}
			b.WriteString(" " + name + " |\n")
		}
	}
	b.WriteString(objectsSection(t, ops))
	return b.String()
}

const objectsHead = `
## What each object answers

The routes that name an organization or an admin, or by an id of its own what belongs to one (a hold, a transaction, an
account of credits), with the answer for the caller's own, a sibling (another of the same admin), a foreign one, a deleted
one (archived, or gone) and an absent one, in this order.

`

func objectsSection(t *testing.T, ops []api.Operation) string {
	var b strings.Builder
	b.WriteString(objectsHead + "| permission |")
	for _, who := range principals {
		b.WriteString(" " + who.name + " |")
	}
	b.WriteString("\n" + rule(len(principals)+1))
	var done []string
	for _, o := range ops {
		if objectOf(o) == auth.Nothing || slices.Contains(done, o.Permission) {
			continue
		}
		done = append(done, o.Permission)
		b.WriteString("| `" + o.Permission + "` |")
		for i := range principals {
			var answers []string
			for _, object := range objectsOf(t, o)[:len(objects)] {
				end := cell{op: o, who: &principals[i], object: object}.expected()
				status, code, _ := strings.Cut(end, " ")
				switch {
				case end == success:
					status = "✓"
				case strings.HasSuffix(code, "suspended"):
					status = "held"
				}
				answers = append(answers, status)
			}
			if len(slices.Compact(slices.Clone(answers))) == 1 {
				answers = answers[:1]
			}
			b.WriteString(" " + strings.Join(answers, " ") + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

const suspensionHead = `# What a suspension stops

Made from the authorization table by ` + "`make docs`" + `; a test fails when it is not current. What stands here is what the
same test asks of the running handler: every route, with every kind of token, under a hold of every source, on both
engines.

A hold bites on the next request on the process that answered it, and on reads of other processes within a second; a
write looks at holds again inside its transaction, so none passes anywhere. A hold that has expired stops nothing,
without anything having to run. Whatever placed the hold, it stops the same; the columns stand for all of these:

| hold on | sources |
| --- | --- |
| the organization | platform, admin, quota, billing; an archived organization alike |
| its admin | platform, billing |

| | |
| --- | --- |
| ✓ | as without the hold |
| ORG | 403 ` + "`organization_suspended`" + ` |
| ADMIN | 403 ` + "`admin_suspended`" + ` |
| – | 403 ` + "`forbidden`" + `, with or without the hold |

Beside what the tables say:
- Signing in and refreshing go on, for the tokens reach only what is left here. A revoked or expired token is 401 ` + "`invalid_token`" + ` everywhere but on public routes.
- ` + "`my-organization/plugins`" + ` answers 200 with none enabled, and a service reading an organization's plugins sees none enabled.
- An invitation into a suspended organization cannot be accepted: 403.
- A check answers 200 with ` + "`allowed: false`" + ` and why. A batch of a platform-wide key answers 200 with a refusal for each operation of a suspended organization.
- What a suspended organization used before, a platform-wide key may still report; nothing is counted for an archived one.
- The staff of an admin that is not suspended keep full access to a suspended organization, save allocating credits.
`

// held are the two holds of the suspension document; suspensionDoc sees that
// every other one stops the same.
var held = []struct {
	title string
	h     holding
}{{"A hold on the organization", holding{"organization", "platform"}}, {"A hold on its admin", holding{"admin", "platform"}}}

var bearers = []string{"access token of a member", "access token of a manager", "access token of an owner", "refreshed token of an owner",
	"access token of an admin's staff", "access token of a superadmin", "organization key", "platform key"}

func suspensionDoc(ops []api.Operation) string {
	var b strings.Builder
	b.WriteString(suspensionHead)
	for _, section := range held {
		fmt.Fprintf(&b, "\n## %s\n", section.title)
		for _, chapter := range chapters(ops) {
			var rows strings.Builder
			for _, o := range chapter {
				if row(o).Public {
					continue
				}
				rows.WriteString("| " + requestName(o) + " |")
				for _, name := range bearers {
					rows.WriteString(" " + stops(o, name, section.h) + " |")
				}
				rows.WriteString("\n")
			}
			if rows.Len() == 0 {
				continue
			}
			fmt.Fprintf(&b, "\n### %s\n\n| request | %s |\n%s%s", chapter[0].Tag, strings.Join(titles(), " | "), rule(len(bearers)+1), rows.String())
		}
	}
	return b.String()
}

func titles() (short []string) {
	for _, name := range bearers {
		name = strings.TrimPrefix(name, "access token of ")
		short = append(short, strings.TrimPrefix(strings.TrimPrefix(name, "an "), "a "))
	}
	return short
}

// stops is a cell of the suspension document. Holds on the same thing differ
// in nothing, or the cell says so.
func stops(o api.Operation, name string, h holding) string {
	who := &tokens[slices.IndexFunc(tokens, func(a actor) bool { return a.name == name })]
	end := func(h holding) string {
		switch end := (cell{op: o, who: who, object: own, hold: h}).expected(); end {
		case success:
			return "✓"
		case "403 forbidden":
			return "–"
		case "403 organization_suspended":
			return "ORG"
		case "403 admin_suspended":
			return "ADMIN"
		default:
			return end
		}
	}
	answer := end(h)
	for _, other := range holdings {
		if other.on == h.on && end(other) != answer {
			answer += fmt.Sprintf(", %s: %s", other.source, end(other))
		}
	}
	return answer
}

// mark is a cell of the authorization document.
func mark(c cell) string {
	may := row(c.op)
	switch end := c.expected(); {
	case may.Public:
		return "public"
	case end == "403 forbidden":
		return "–"
	case end == success && may.Self && c.who.as == "person":
		return "self"
	case end == success:
		return "✓"
	default:
		return end
	}
}

func like(name string) *actor {
	return &principals[slices.IndexFunc(principals, func(a actor) bool { return a.name == name })]
}

// chapters are the operations by tag, in order; a PATCH stands with its PUT.
func chapters(ops []api.Operation) (all [][]api.Operation) {
	for _, o := range ops {
		if o.Method == "PATCH" {
			continue
		}
		i := slices.IndexFunc(all, func(c []api.Operation) bool { return c[0].Tag == o.Tag })
		if i < 0 {
			i, all = len(all), append(all, nil)
		}
		all[i] = append(all[i], o)
	}
	return all
}

func requestName(o api.Operation) string {
	method := o.Method
	if method == "PUT" {
		method = "PUT, PATCH"
	}
	return fmt.Sprintf("`%s %s`", method, o.Path)
}

func rule(columns int) string { return "|" + strings.Repeat(" --- |", columns) + "\n" }
