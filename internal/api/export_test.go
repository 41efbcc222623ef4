package api

import (
	"maps"
	"slices"
)

// Operation is what a test may know of a route.
type Operation struct {
	ID, Method, Path, Tag, Summary string
	Permission                     string
	Roles                          []string
	Public, Self, Mutates          bool
	DryRuns, Keeps, Locks          bool
	Secret                         bool
	Query                          []string
}

// Operations are the routes on the mux, PATCH included. Handler comes first.
func (s *Server) Operations() (all []Operation) {
	for _, o := range s.ops {
		all = append(all, Operation{
			ID: o.ID, Method: o.Method, Path: o.Path, Tag: o.Tag, Summary: o.Summary,
			Permission: o.May.Name, Roles: roleNames(o.May), Public: o.May.Public, Self: o.May.Self, Mutates: o.mutates(),
			DryRuns: o.dryRuns(), Keeps: o.keeps(), Locks: o.Lock != nil, Secret: o.Secret,
			Query: slices.Sorted(maps.Keys(o.query)),
		})
	}
	return all
}

// Code is a documented problem code with its status.
type Code struct {
	Code   string
	Status int
}

// Codes are all of them.
func Codes() (all []Code) {
	for _, c := range codeDocs {
		all = append(all, Code{c.Code, c.Status})
	}
	return all
}

// Strict is the gate that a body passes first.
var Strict = strict

// HumaCodes are the codes that huma's messages are given.
func HumaCodes() []string {
	all := []string{"invalid", "required"}
	for _, c := range humaCodes {
		all = append(all, c.code)
	}
	return all
}
