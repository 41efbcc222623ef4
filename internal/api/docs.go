package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsPage string

// pagePolicy is the Content-Security-Policy of HTML pages.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; " +
	"connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// docs serves the reference as one page: rendered from the same document as
// /openapi.json, without a script and without another server.
func (s *Server) docs(w http.ResponseWriter, _ *http.Request) {
	page, err := s.docsOnce()
	if err != nil {
		http.Error(w, "the documentation cannot be rendered", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	_, _ = w.Write(page)
}

// renderDocs makes the page, at most once for a server.
func (s *Server) renderDocs() func() ([]byte, error) {
	return sync.OnceValues(func() ([]byte, error) {
		t, err := template.New("docs").Parse(docsPage)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		err = t.Execute(&b, s.reference())
		return b.Bytes(), err
	})
}

// reference is the document in the order people read.
type reference struct {
	Version  string
	Chapters []chapter
	Codes    []codeDoc
}

type chapter struct {
	Name       string
	Operations []operationDoc
}

type operationDoc struct {
	ID, Method, Path, Summary, Description, Roles string
	Parameters, Fields                            []fieldDoc
	Answers                                       []answerDoc
	BodyRequired                                  bool
}

type fieldDoc struct {
	Name, In, Type, Doc string
	Required            bool
}

type answerDoc struct {
	Status, Doc string
	Fields      []fieldDoc
}

func (s *Server) reference() reference {
	doc := s.huma.OpenAPI()
	ref := reference{Version: s.Version, Codes: codeDocs}
	index := map[string]int{}
	for _, o := range s.ops {
		if o.Method == http.MethodPatch {
			continue
		}
		h := find(doc, o.Method, o.Path)
		if h == nil {
			continue
		}
		i, ok := index[o.Tag]
		if !ok {
			i = len(ref.Chapters)
			index[o.Tag] = i
			ref.Chapters = append(ref.Chapters, chapter{Name: o.Tag})
		}
		ref.Chapters[i].Operations = append(ref.Chapters[i].Operations, describe(doc, &o, h))
	}
	return ref
}

func find(doc *huma.OpenAPI, method, path string) *huma.Operation {
	p := doc.Paths[path]
	if p == nil {
		return nil
	}
	return map[string]*huma.Operation{"GET": p.Get, "POST": p.Post, "PUT": p.Put, "DELETE": p.Delete}[method]
}

func describe(doc *huma.OpenAPI, o *op, h *huma.Operation) operationDoc {
	d := operationDoc{ID: o.ID, Method: o.Method, Path: o.Path, Summary: o.Summary, Description: o.Description, Roles: strings.Join(roleNames(o.May), ", ")}
	for _, p := range h.Parameters {
		d.Parameters = append(d.Parameters, fieldDoc{Name: p.Name, In: p.In, Type: typeName(p.Schema), Doc: p.Description, Required: p.Required})
	}
	if h.RequestBody != nil {
		d.BodyRequired = h.RequestBody.Required
		if m := h.RequestBody.Content["application/json"]; m != nil {
			d.Fields = fieldsOf(doc, m.Schema)
		}
	}
	for status, r := range h.Responses {
		a := answerDoc{Status: status, Doc: r.Description}
		if m := r.Content["application/json"]; m != nil {
			a.Fields = fieldsOf(doc, m.Schema)
		}
		d.Answers = append(d.Answers, a)
	}
	slices.SortFunc(d.Answers, func(a, b answerDoc) int { return strings.Compare(a.Status, b.Status) })
	return d
}

// fieldsOf lists the properties of an object, one level deep.
func fieldsOf(doc *huma.OpenAPI, s *huma.Schema) (all []fieldDoc) {
	if s != nil && s.Ref != "" {
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	if s == nil {
		return nil
	}
	for name, p := range s.Properties {
		all = append(all, fieldDoc{Name: name, Type: typeName(p), Doc: p.Description, Required: slices.Contains(s.Required, name)})
	}
	slices.SortFunc(all, func(a, b fieldDoc) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// typeName is a schema in a few words.
func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Type == "array":
		return "list of " + typeName(s.Items)
	}
	name := s.Type
	if s.Format != "" {
		name += " (" + s.Format + ")"
	}
	if len(s.Enum) > 0 {
		words := []string{}
		for _, e := range s.Enum {
			if w, ok := e.(string); ok {
				words = append(words, w)
			}
		}
		name = strings.Join(words, " | ")
	}
	if s.Minimum != nil {
		name += ", from " + strconv.FormatFloat(*s.Minimum, 'f', -1, 64)
	}
	if s.Maximum != nil {
		name += ", to " + strconv.FormatFloat(*s.Maximum, 'f', -1, 64)
	}
	if s.Nullable {
		name += " or null"
	}
	return name
}
