package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/patch"
)

// schemas documents the types whose JSON is not what their Go kind tells.
func schemas(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[partner.Percent](), reflect.TypeFor[float64]())
	r.RegisterTypeAlias(reflect.TypeFor[patch.Field[partner.Percent]](), reflect.TypeFor[*float64]())
	r.RegisterTypeAlias(reflect.TypeFor[patch.Field[brand.Patch]](), reflect.TypeFor[brandOrNull]())
}

// brandOrNull is the schema of a merged brand that null clears as a whole.
type brandOrNull struct{}

// Schema is brand.Patch, or null.
func (brandOrNull) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[brand.Patch](), false, "")
	s.Nullable = true
	return &s
}
