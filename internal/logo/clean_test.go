package logo_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/logo"
)

func drawing(w, h int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7 / 3)
	}
	return m
}

func encoded(t testing.TB, f func(w io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pngOf says it has a size and has next to nothing in it.
func pngOf(w, h uint32, body []byte) []byte {
	chunk := func(kind string, data []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		b = append(append(b, kind...), data...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	all := []byte("\x89PNG\r\n\x1a\n")
	all = append(all, chunk("IHDR", append(head, 8, 6, 0, 0, 0))...)
	return append(append(all, chunk("IDAT", body)...), chunk("IEND", nil)...)
}

// webpOf is a lossless WebP of a size; canvas, where not zero, is what an
// extended header says instead.
func webpOf(canvas, w, h uint32) []byte {
	frame := binary.LittleEndian.AppendUint32([]byte{0x2f}, (w-1)|(h-1)<<14)
	frame = append(frame, make([]byte, 11)...)
	var body []byte
	if canvas > 0 {
		body = append(body, "VP8X\x0a\x00\x00\x00\x00\x00\x00\x00"...)
		body = append(body, byte(canvas-1), 0, 0, byte(canvas-1), 0, 0)
	}
	body = append(body, "VP8L"...)
	body = append(binary.LittleEndian.AppendUint32(body, uint32(len(frame))), frame...)
	all := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)+4))
	return append(append(all, "WEBP"...), body...)
}

// What is a picture comes out as a PNG that says the same, not larger than it is
// shown.
func TestRasterIsWrittenAnew(t *testing.T) {
	palette := image.NewPaletted(image.Rect(0, 0, 30, 20), color.Palette{color.White, color.Black})
	for name, data := range map[string][]byte{
		"png":  encoded(t, func(w io.Writer) error { return png.Encode(w, drawing(30, 20)) }),
		"jpeg": encoded(t, func(w io.Writer) error { return jpeg.Encode(w, drawing(30, 20), nil) }),
		"gif": encoded(t, func(w io.Writer) error {
			return gif.EncodeAll(w, &gif.GIF{Image: []*image.Paletted{palette, palette}, Delay: []int{1, 1}})
		}),
	} {
		p, err := logo.Clean(data)
		if err != nil || p.Kind != logo.PNG || p.Width != 30 || p.Height != 20 {
			t.Errorf("%s: got %s %d × %d, %v", name, p.Kind, p.Width, p.Height, err)
			continue
		}
		if m, err := png.Decode(bytes.NewReader(p.Body)); err != nil || m.Bounds().Dx() != 30 {
			t.Errorf("%s: what is stored is no PNG: %v", name, err)
		}
		again, err := logo.Clean(p.Body)
		if err != nil || !bytes.Equal(again.Body, p.Body) {
			t.Errorf("%s: what is clean changes: %v", name, err)
		}
	}
	wide, err := logo.Clean(encoded(t, func(w io.Writer) error { return png.Encode(w, image.NewGray(image.Rect(0, 0, 4000, 500))) }))
	if err != nil || wide.Width != 1024 || wide.Height != 128 {
		t.Errorf("a wide one: got %d × %d, %v", wide.Width, wide.Height, err)
	}
}

// What would be large once it is unpacked is refused by what it says of itself,
// before anything is unpacked.
func TestBombs(t *testing.T) {
	var zeros bytes.Buffer
	z := zlib.NewWriter(&zeros)
	_, _ = z.Write(make([]byte, 64<<20))
	_ = z.Close()
	gifBomb := append([]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02"), make([]byte, 40)...)
	jpegBomb := encoded(t, func(w io.Writer) error { return jpeg.Encode(w, drawing(16, 16), nil) })
	at := bytes.Index(jpegBomb, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint32(jpegBomb[at+5:], 0xffffffff)
	scans := encoded(t, func(w io.Writer) error { return jpeg.Encode(w, drawing(16, 16), nil) })
	scans = append(scans, bytes.Repeat([]byte{0xff, 0xda, 0, 0}, 10_000)...)
	for name, data := range map[string][]byte{
		"a wide PNG": pngOf(100_000, 1, zeros.Bytes()), "a large PNG": pngOf(4096, 4096, zeros.Bytes()), "the largest PNG": pngOf(1<<31-1, 1<<31-1, nil),
		"a large GIF": gifBomb, "a large JPEG": jpegBomb, "a JPEG of many scans": scans,
		"a large WebP": webpOf(0, 16384, 16384), "a small WebP with a large frame": webpOf(10, 16384, 16384),
		"too many bytes": make([]byte, logo.MaxBytes+1),
		"deep":           []byte(`<svg xmlns="http://www.w3.org/2000/svg">` + strings.Repeat("<g>", 5000) + strings.Repeat("</g>", 5000) + "</svg>"),
		"many":           []byte(`<svg xmlns="http://www.w3.org/2000/svg">` + strings.Repeat("<g/>", 20_000) + "</svg>"),
		"many unknown":   []byte(`<svg xmlns="http://www.w3.org/2000/svg"><x>` + strings.Repeat("<y/>", 20_000) + "</x></svg>"),
	} {
		if _, err := logo.Clean(data); fault.Code(err) != "picture_too_large" && fault.Code(err) != "unreadable_picture" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A file that is several things at once comes out as the picture alone.
func TestPolyglots(t *testing.T) {
	plain := encoded(t, func(w io.Writer) error { return png.Encode(w, drawing(20, 20)) })
	const payload = "<script>alert(document.domain)</script>"
	comment := append([]byte("\xff\xd8\xff\xfe\x00\x2b"), payload...)
	picture := encoded(t, func(w io.Writer) error { return jpeg.Encode(w, drawing(20, 20), nil) })
	for name, data := range map[string][]byte{
		"a page behind a PNG":      append(bytes.Clone(plain), payload...),
		"a zip behind a PNG":       append(bytes.Clone(plain), "PK\x03\x04"+payload...),
		"a page in a JPEG comment": append(comment, picture[2:]...),
	} {
		p, err := logo.Clean(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if bytes.Contains(p.Body, []byte("script")) || bytes.Contains(p.Body, []byte("PK\x03\x04")) {
			t.Errorf("%s: the payload is still there", name)
		}
	}
	for name, data := range map[string]string{
		"a page":               "<!doctype html><html><body>" + payload,
		"a script":             "alert(1)",
		"a page as an SVG":     `<html xmlns="http://www.w3.org/1999/xhtml"><svg xmlns="http://www.w3.org/2000/svg"/></html>`,
		"GIF that is a script": "GIF89a=1;alert(1)//",
		"nothing":              "",
		"half a PNG":           string(plain[:len(plain)/2]),
		"another encoding":     "<?xml version=\"1.0\" encoding=\"UTF-7\"?><svg xmlns=\"http://www.w3.org/2000/svg\">+ADw-script+AD4-</svg>",
		"UTF-16":               "\xff\xfe<\x00s\x00v\x00g\x00",
		"two documents":        `<svg xmlns="http://www.w3.org/2000/svg"/><svg xmlns="http://www.w3.org/2000/svg"/>`,
		"a PDF":                "%PDF-1.7\n",
	} {
		if p, err := logo.Clean([]byte(data)); err == nil {
			t.Errorf("%s: taken as %s: %s", name, p.Kind, p.Body)
		}
	}
}

// hostile are SVGs that would run something or ask elsewhere; each has CANARY
// where that is.
var hostile = []string{
	`<script>CANARY</script>`, `<script href="CANARY"/>`, `<SCRIPT>CANARY</SCRIPT>`, `<svg:script xmlns:svg="http://www.w3.org/2000/svg">CANARY</svg:script>`,
	`<g onload="CANARY"/>`, `<rect onclick='CANARY'/>`, `<g ONLOAD="CANARY"/>`, `<g xmlns:x="http://x" x:onload="CANARY"/>`,
	`<a href="javascript:CANARY"><text>x</text></a>`, `<a xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="javascript:CANARY"><circle r="1"/></a>`,
	`<image href="https://evil.example/CANARY"/>`, `<image xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="data:image/svg+xml;base64,CANARY"/>`,
	`<use href="https://evil.example/CANARY#x"/>`, `<use href="data:image/svg+xml,CANARY#x"/>`, `<feImage href="//evil.example/CANARY"/>`,
	`<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:CANARY"/></foreignObject>`, `<foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="CANARY"/></foreignObject>`,
	`<style>@import "https://evil.example/CANARY"; rect{fill:url(https://evil.example/CANARY)}</style>`, `<style><![CDATA[</style><script>CANARY</script>]]></style>`,
	`<rect style="fill:url(https://evil.example/CANARY)"/>`, `<rect style="background:url(//evil.example/CANARY)"/>`, `<rect style="fill:red;behavior:url(CANARY)"/>`, `<rect style="fill:expression(CANARY)"/>`,
	`<rect fill="url(https://evil.example/CANARY)"/>`, `<rect fill="url(//evil.example/CANARY)"/>`, `<rect fill="url('https://evil.example/CANARY#a')"/>`, `<rect fill="u\72l(https://evil.example/CANARY)"/>`, `<rect fill="URL(CANARY.svg#a)"/>`,
	`<rect clip-path="url(CANARY.svg#a)"/>`, `<rect mask="url(https://evil.example/CANARY)"/>`, `<rect filter="url(https://evil.example/CANARY#f)"/>`, `<rect fill="src('//evil.example/CANARY')"/>`, `<rect fill="image-set('https://evil.example/CANARY' 1x)"/>`,
	`<animate attributeName="href" values="javascript:CANARY"/>`, `<set attributeName="onload" to="CANARY"/>`, `<rect><animate attributeName="x" onbegin="CANARY" begin="0s"/></rect>`,
	`<linearGradient href="https://evil.example/CANARY#g"/>`, `<linearGradient xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="javascript:CANARY"/>`,
	`<handler type="text/javascript">CANARY</handler>`, `<metadata>CANARY</metadata>`, `<iframe src="CANARY"/>`, `<embed src="CANARY"/>`, `<object data="CANARY"/>`, `<video src="CANARY"/>`,
	`<g xml:base="https://evil.example/CANARY/"/>`, `<?xml-stylesheet href="https://evil.example/CANARY"?>`, `<!-- CANARY -->`, `<switch><g/><script>CANARY</script></switch>`, `<g id="CANARY'&quot;&gt;&lt;script&gt;"/>`,
	`<text><tspan><script>CANARY</script></tspan></text>`, `<svg xmlns="http://www.w3.org/2000/svg" onload="CANARY"/>`, `<rect data-x="CANARY" aria-label="CANARY" class="CANARY"/>`, `<pattern><image href="CANARY"/></pattern>`,
	`<font-face-uri href="https://evil.example/CANARY"/>`, `<cursor href="CANARY"/>`, `<text font-family="url(CANARY)">a</text>`, `<text font-family="a;b:url(CANARY)">a</text>`,
}

func TestHostileSVGs(t *testing.T) {
	for _, h := range hostile {
		for _, head := range []string{"", `<?xml version="1.0" encoding="UTF-8"?>`} {
			data := head + `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">` + h + `<rect id="stays" width="5" height="5" fill="#fff"/></svg>`
			p, err := logo.Clean([]byte(data))
			if err != nil {
				if code := fault.Code(err); code != "unreadable_picture" && code != "unsafe_picture" {
					t.Errorf("%s: %v", h, err)
				}
				continue
			}
			if bytes.Contains(p.Body, []byte("CANARY")) || !bytes.Contains(p.Body, []byte(`id="stays"`)) {
				t.Errorf("%s came out as %s", h, p.Body)
			}
			sound(t, p.Body)
		}
	}
	for name, data := range map[string]string{
		"an entity":           `<!DOCTYPE svg [<!ENTITY x "CANARY">]><svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>`,
		"an external entity":  `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>`,
		"a thousand laughs":   `<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg"><text>&b;</text></svg>`,
		"an unknown entity":   `<svg xmlns="http://www.w3.org/2000/svg"><text>&nbsp;</text></svg>`,
		"another name space":  `<svg xmlns="http://www.w3.org/1999/xhtml"><script>CANARY</script></svg>`,
		"no name space":       `<svg><script>CANARY</script></svg>`,
		"a doctype inside":    `<svg xmlns="http://www.w3.org/2000/svg"><g><!DOCTYPE x></g></svg>`,
		"a doctype in a skip": `<svg xmlns="http://www.w3.org/2000/svg"><script><!DOCTYPE x></script></svg>`,
	} {
		if p, err := logo.Clean([]byte(data)); err == nil {
			t.Errorf("%s: taken as %s", name, p.Body)
		}
	}
}

// sound holds what was written against the rules by another reading of it.
func sound(t testing.TB, body []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v\nin %s", err, body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Space != "http://www.w3.org/2000/svg" || strings.Contains(" script style image use foreignObject a animate set iframe ", " "+token.Name.Local+" ") {
				t.Errorf("the element %v in %s", token.Name, body)
			}
			for _, a := range token.Attr {
				name, value := strings.ToLower(a.Name.Local), strings.ToLower(a.Value)
				if strings.HasPrefix(name, "on") || name == "style" || a.Name.Space != "" ||
					name == "href" && !strings.HasPrefix(value, "#") || name != "xmlns" && (strings.ContainsAny(value, ":\\;<>") || strings.Contains(value, "//")) ||
					strings.Contains(value, "url") && !strings.HasPrefix(value, "url(#") {
					t.Errorf("the attribute %s=%q in %s", a.Name.Local, a.Value, body)
				}
			}
		case xml.Comment, xml.Directive, xml.ProcInst:
			t.Errorf("%T in %s", token, body)
		}
	}
}

// What a logo is made of stays: shapes, gradients, masks, words and colours, also
// those of a style.
func TestSVGStays(t *testing.T) {
	const data = `<?xml version="1.0"?><!-- made by hand --><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40px" viewBox="0 0 40 20">
		<defs><linearGradient id="g"><stop offset="0" style="stop-color:#f00; stop-opacity: .5"/></linearGradient><radialGradient id="r" xlink:href="#g"/><mask id="m"><rect width="9" height="9" mask="url(#m)"/></mask></defs>
		<path d="M0 0 L10,10 z" fill="url(#g)" mask="url( '#m' )" transform="rotate(45)"/><text x="1" font-family="'A B', serif">A &lt; B &amp; C</text></svg>`
	p, err := logo.Clean([]byte(data))
	if err != nil || p.Kind != logo.SVG || p.Width != 40 || p.Height != 20 {
		t.Fatalf("got %+v, %v", p, err)
	}
	sound(t, p.Body)
	for _, part := range []string{`<stop stop-color="#f00" stop-opacity=".5" offset="0">`, `<radialGradient id="r" href="#g">`, `d="M0 0 L10,10 z"`, `fill="url(#g)"`, `mask="url(#m)"`, `transform="rotate(45)"`,
		`<text x="1" font-family="&#39;A B&#39;, serif">A &lt; B &amp; C</text>`, `<mask id="m"><rect width="9" height="9"></rect></mask>`} {
		if !bytes.Contains(p.Body, []byte(part)) {
			t.Errorf("%s is not in %s", part, p.Body)
		}
	}
	again, err := logo.Clean(p.Body)
	if err != nil || !bytes.Equal(again.Body, p.Body) {
		t.Errorf("what is clean changes: %v\n%s\n%s", err, p.Body, again.Body)
	}
}

func FuzzClean(f *testing.F) {
	for _, h := range hostile {
		f.Add([]byte(`<svg xmlns="http://www.w3.org/2000/svg">` + h + `</svg>`))
	}
	f.Add(pngOf(3, 3, nil))
	f.Add(webpOf(10, 20, 20))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := logo.Clean(data)
		if err != nil {
			if fault.Code(err) == "" {
				t.Errorf("%v is no refusal", err)
			}
			return
		}
		if p.Kind == logo.SVG {
			sound(t, p.Body)
		}
		if _, err := logo.Clean(p.Body); err != nil {
			t.Errorf("what is clean is refused: %v", err)
		}
	})
}
