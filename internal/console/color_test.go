package console_test

import (
	"testing"

	"github.com/lucasb-eyer/go-colorful"

	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/console"
)

// Whatever the brand, links and buttons can be read in light and dark.
func TestColoursAreReadable(t *testing.T) {
	for _, primary := range []string{"#000000", "#FFFFFF", "#FFE600", "#808080", "#FF5733", "#33FF57", "#1F5FBF"} {
		l := console.LookOf(brand.Fields{PrimaryColor: &primary})
		for _, pair := range [][2]string{
			{string(l.Light), "#ffffff"}, {string(l.Light), "#f4f5f7"}, {string(l.Dark), "#1a1b1e"}, {string(l.Dark), "#111214"}, {string(l.Text), string(l.Fill)},
		} {
			a, err := colorful.Hex(pair[0])
			if err != nil {
				t.Fatal(err)
			}
			b, err := colorful.Hex(pair[1])
			if err != nil {
				t.Fatal(err)
			}
			if got := console.Contrast(a, b); got < 4.5 {
				t.Errorf("%s: %s on %s has %.2f", primary, pair[0], pair[1], got)
			}
		}
		if string(l.Fill) != primary {
			t.Errorf("%s: the fill is %s", primary, l.Fill)
		}
	}
}
