package console

import (
	"math"

	"github.com/lucasb-eyer/go-colorful"
)

const (
	textContrast = 4.6 // a little more than the 4.5 that WCAG AA asks of text: colours are rounded
	// The grounds of public.css on which a colour stands out least.
	lightGround = "#f4f5f7"
	darkGround  = "#1a1b1e"
)

// luminance is WCAG's relative luminance.
func luminance(c colorful.Color) float64 {
	r, g, b := c.LinearRgb()
	return 0.2126*r + 0.7152*g + 0.0722*b
}

// contrast is WCAG's ratio of two colours, 1 to 21.
func contrast(a, b colorful.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

// readable gives the colour nearest to hex in lightness that has the ratio
// with the ground, its hue kept. Colours come as #RRGGBB.
func readable(hex, ground string, ratio float64) string {
	c, err := colorful.Hex(hex)
	g, err2 := colorful.Hex(ground)
	if err != nil || err2 != nil {
		return "#1f5fbf"
	}
	if contrast(c, g) >= ratio {
		return c.Hex()
	}
	l, chroma, hue := c.OkLch()
	step := -0.01 // darker on a light ground
	if luminance(g) < 0.18 {
		step = 0.01
	}
	for l += step; l > 0 && l < 1; l += step {
		if c := colorful.OkLch(l, chroma, hue).Clamped(); contrast(c, g) >= ratio {
			return c.Hex()
		}
	}
	if step > 0 {
		return "#ffffff"
	}
	return "#000000"
}

// over is what can be read on the colour: white or black.
func over(hex string) string {
	c, err := colorful.Hex(hex)
	if err != nil || contrast(c, colorful.Color{R: 1, G: 1, B: 1}) >= textContrast {
		return "#ffffff"
	}
	return "#000000"
}
