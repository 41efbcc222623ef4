package logo

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/fault"
)

const svgSpace = "http://www.w3.org/2000/svg"

// Bounds of an SVG. Nothing in it draws another part of it again but a mask or
// clip path: few may be named, and none within another, so that what it costs
// to show does not grow beyond measure.
const (
	maxDepth    = 32
	maxElements = 5_000
	maxClips    = 64
)

// elements are those that an SVG may have; any other is left out with all that is
// in it. No script, style, image, use, pattern, filter, link, animation or
// foreignObject is among them.
var elements = map[string]bool{
	"svg": true, "g": true, "path": true, "rect": true, "circle": true, "ellipse": true, "line": true, "polyline": true, "polygon": true,
	"text": true, "tspan": true, "title": true, "desc": true, "defs": true, "linearGradient": true, "radialGradient": true, "stop": true, "clipPath": true, "mask": true,
}

// worded are the elements whose text is kept.
var worded = map[string]bool{"text": true, "tspan": true, "title": true, "desc": true}

// shapes are attributes of one element or another; paints are those that may
// also stand in a style attribute, and the few of them that may name a part of
// the same file are references.
var (
	shapes = set("id x y width height viewBox preserveAspectRatio version d points cx cy r rx ry x1 y1 x2 y2 fx fy dx dy rotate offset transform",
		"gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits textLength lengthAdjust")
	paints = set("fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset",
		"opacity color clip-path clip-rule mask stop-color stop-opacity font-family font-size font-weight font-style text-anchor dominant-baseline letter-spacing display visibility")
	references = set("fill stroke clip-path mask")
)

func set(lists ...string) map[string]bool {
	all := map[string]bool{}
	for _, l := range lists {
		for _, name := range strings.Fields(l) {
			all[name] = true
		}
	}
	return all
}

var (
	plainValue = regexp.MustCompile(`^[A-Za-z0-9 .,#%()+\-_'"\n\r\t]*$`)
	localPaint = regexp.MustCompile(`^url\(\s*['"]?#([A-Za-z_][\w.-]*)['"]?\s*\)$`)
	localName  = regexp.MustCompile(`^#[A-Za-z_][\w.-]*$`)
	identifier = regexp.MustCompile(`^[A-Za-z_][\w.-]*$`)
)

// rewriter writes an SVG anew.
type rewriter struct {
	in    *xml.Decoder
	out   bytes.Buffer
	open  []string // elements that are written and not closed
	seen  int
	clips int // how often a mask or clip path was named
	size  [2]int
}

// cleanSVG writes an SVG anew from what the lists allow. A document type, which
// could define entities, is refused as a whole.
func cleanSVG(data []byte) (Picture, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return Picture{}, unreadable()
	}
	w := &rewriter{in: xml.NewDecoder(bytes.NewReader(data))}
	w.in.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("only UTF-8") }
	if err := w.run(); err != nil {
		return Picture{}, err
	}
	if w.out.Len() > MaxBytes {
		return Picture{}, fault.New(fault.Invalid, "picture_too_large", "The picture has more than %d bytes; make it simpler.", MaxBytes)
	}
	return Picture{Kind: SVG, Width: w.size[0], Height: w.size[1], Body: w.out.Bytes()}, nil
}

func (w *rewriter) run() error {
	for {
		token, err := w.in.Token()
		if errors.Is(err, io.EOF) && w.seen > 0 && len(w.open) == 0 {
			return nil
		}
		if err != nil {
			return unreadable()
		}
		switch token := token.(type) {
		case xml.Directive:
			return fault.New(fault.Invalid, "unsafe_picture", "An SVG with a document type is not taken.")
		case xml.StartElement:
			if err := w.start(token); err != nil {
				return err
			}
		case xml.EndElement:
			name := w.open[len(w.open)-1]
			w.open = w.open[:len(w.open)-1]
			w.out.WriteString("</" + name + ">")
		case xml.CharData:
			if len(w.open) > 0 && worded[w.open[len(w.open)-1]] {
				escape(&w.out, string(token))
			}
		}
	}
}

// start writes an element that is allowed, and skips any other whole.
func (w *rewriter) start(e xml.StartElement) error {
	name := e.Name.Local
	root := w.seen == 0
	if w.seen++; w.seen > maxElements || len(w.open) >= maxDepth {
		return fault.New(fault.Invalid, "picture_too_large", "An SVG may have at most %d elements, %d deep.", maxElements, maxDepth)
	}
	if root && (name != "svg" || e.Name.Space != svgSpace) {
		return unreadable()
	}
	if len(w.open) == 0 && !root {
		return unreadable() // a second document behind the first
	}
	if e.Name.Space != svgSpace || !elements[name] || name == "svg" && !root {
		return w.skip()
	}
	w.open = append(w.open, name)
	w.out.WriteString("<" + name)
	if root {
		w.out.WriteString(` xmlns="` + svgSpace + `"`)
	}
	for _, a := range w.attributes(name, e.Attr) {
		w.out.WriteString(" " + a[0] + `="`)
		escape(&w.out, a[1])
		w.out.WriteString(`"`)
		if root {
			w.measure(a[0], a[1])
		}
	}
	w.out.WriteString(">")
	return nil
}

// skip reads to the end of an element, counting what is in it.
func (w *rewriter) skip() error {
	for depth := 1; depth > 0; {
		token, err := w.in.Token()
		if err != nil {
			return unreadable()
		}
		switch token.(type) {
		case xml.Directive:
			return fault.New(fault.Invalid, "unsafe_picture", "An SVG with a document type is not taken.")
		case xml.StartElement:
			depth++
			if w.seen++; w.seen > maxElements {
				return fault.New(fault.Invalid, "picture_too_large", "An SVG may have at most %d elements, %d deep.", maxElements, maxDepth)
			}
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

// attributes are those that are allowed, each once, the parts of a style among
// them as attributes of their own.
func (w *rewriter) attributes(element string, all []xml.Attr) (kept [][2]string) {
	add := func(name, value string) {
		v, ok := allowed(name, value)
		if ok && (name == "mask" || name == "clip-path") {
			w.clips++
			ok = w.clips <= maxClips && !slices.Contains(w.open, "mask") && !slices.Contains(w.open, "clipPath")
		}
		if ok && !slices.ContainsFunc(kept, func(k [2]string) bool { return k[0] == name }) {
			kept = append(kept, [2]string{name, v})
		}
	}
	for _, a := range all { // a style wins over attributes
		if a.Name.Space != "" || a.Name.Local != "style" {
			continue
		}
		for part := range strings.SplitSeq(a.Value, ";") {
			if name, value, ok := strings.Cut(part, ":"); ok && paints[strings.TrimSpace(name)] {
				add(strings.TrimSpace(name), strings.TrimSpace(value))
			}
		}
	}
	for _, a := range all {
		switch {
		case a.Name.Local == "href" && strings.HasSuffix(element, "Gradient") && localName.MatchString(a.Value):
			kept = append(kept, [2]string{"href", a.Value})
		case a.Name.Space == "" && (shapes[a.Name.Local] || paints[a.Name.Local]):
			add(a.Name.Local, a.Value)
		}
	}
	return slices.CompactFunc(kept, func(a, b [2]string) bool { return a[0] == b[0] })
}

// allowed gives the value as it is written. No address can stand in one: a colon
// is not among its letters, and url() only names a part of the same file.
func allowed(name, value string) (string, bool) {
	if m := localPaint.FindStringSubmatch(value); m != nil {
		return "url(#" + m[1] + ")", references[name]
	}
	if name == "id" {
		return value, identifier.MatchString(value)
	}
	lower := strings.ToLower(value)
	return value, plainValue.MatchString(value) && !strings.Contains(lower, "url") && !strings.Contains(lower, "//") && !strings.Contains(lower, "expression")
}

// measure remembers the size of the root.
func (w *rewriter) measure(name, value string) {
	whole := func(s string) int {
		n, err := strconv.ParseFloat(strings.TrimSuffix(s, "px"), 64)
		if err != nil || n < 0 || n > 1e6 {
			return 0
		}
		return int(n)
	}
	switch name {
	case "width":
		w.size[0] = whole(value)
	case "height":
		w.size[1] = whole(value)
	case "viewBox":
		if f := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' }); len(f) == 4 {
			for i := range w.size {
				if w.size[i] == 0 {
					w.size[i] = whole(f[2+i])
				}
			}
		}
	}
}

func escape(b *bytes.Buffer, s string) { _ = xml.EscapeText(b, []byte(s)) } // a bytes.Buffer takes everything
