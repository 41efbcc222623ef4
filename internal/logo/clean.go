package logo

import (
	"bytes"
	"encoding/hex"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/tenantry/tenantry/internal/fault"
)

// Bounds of a raster picture, looked at before it is decoded.
const (
	maxSide   = 4096      // pixels
	maxPixels = 4_000_000 // of the whole
	maxShown  = 1024      // a longer side is scaled down to it
	maxScans  = 100       // of a progressive JPEG
)

// decoding bounds how many pictures are decoded at once: each may take tens of
// megabytes for a moment.
var decoding = make(chan struct{}, 2)

// Clean makes a picture of what somebody sent, or says what is wrong with it.
func Clean(data []byte) (Picture, error) {
	if len(data) > MaxBytes {
		return Picture{}, fault.New(fault.Invalid, "picture_too_large", "A picture may have at most %d bytes.", MaxBytes)
	}
	format := sniff(data)
	if format == nil {
		return cleanSVG(data)
	}
	decoding <- struct{}{}
	defer func() { <-decoding }()
	return format.clean(data)
}

func unreadable() error {
	return fault.New(fault.Invalid, "unreadable_picture", "This is no picture that can be read. Send a PNG, JPEG, GIF, WebP or SVG.")
}

// format is a raster format: how it begins, and how it is read.
type format struct {
	magic  []string
	config func(data []byte) (image.Config, error)
	decode func(data []byte) (image.Image, error)
}

var formats = []format{
	{[]string{"\x89PNG\r\n\x1a\n"}, configOf(png.DecodeConfig), imageOf(png.Decode)},
	{[]string{"\xff\xd8\xff"}, jpegConfig, imageOf(jpeg.Decode)},
	{[]string{"GIF87a", "GIF89a"}, configOf(gif.DecodeConfig), imageOf(gif.Decode)}, // the first frame
	{[]string{"RIFF"}, webpConfig, imageOf(webp.Decode)},
}

// sniff tells a raster format by its first bytes; nil where it is none.
func sniff(data []byte) *format {
	for i, f := range formats {
		for _, m := range f.magic {
			if bytes.HasPrefix(data, []byte(m)) {
				return &formats[i]
			}
		}
	}
	return nil
}

func configOf(f func(io.Reader) (image.Config, error)) func([]byte) (image.Config, error) {
	return func(b []byte) (image.Config, error) { return f(bytes.NewReader(b)) }
}

func imageOf(f func(io.Reader) (image.Image, error)) func([]byte) (image.Image, error) {
	return func(b []byte) (image.Image, error) { return f(bytes.NewReader(b)) }
}

// clean measures, decodes and writes anew.
func (f *format) clean(data []byte) (Picture, error) {
	c, err := f.config(data)
	switch {
	case err != nil || c.Width < 1 || c.Height < 1:
		return Picture{}, unreadable()
	case c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > maxPixels:
		return Picture{}, fault.New(fault.Invalid, "picture_too_large", "A picture may be at most %d pixels wide and high, and %d in all.", maxSide, maxPixels)
	}
	m, err := f.decode(data)
	if err != nil || m.Bounds().Dx()*m.Bounds().Dy() > maxPixels {
		return Picture{}, unreadable()
	}
	m = shown(m)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, m); err != nil {
		return Picture{}, unreadable()
	}
	if b.Len() > MaxBytes {
		return Picture{}, fault.New(fault.Invalid, "picture_too_large", "The picture has more than %d bytes as a PNG; make it smaller.", MaxBytes)
	}
	return Picture{Kind: PNG, Width: m.Bounds().Dx(), Height: m.Bounds().Dy(), Body: b.Bytes()}, nil
}

// shown is the picture as plain colours, not larger than anybody will see it.
func shown(m image.Image) image.Image {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	if long := max(w, h); long > maxShown {
		w, h = max(1, w*maxShown/long), max(1, h*maxShown/long)
	}
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	if w == m.Bounds().Dx() && h == m.Bounds().Dy() {
		draw.Draw(to, to.Bounds(), m, m.Bounds().Min, draw.Src)
	} else {
		draw.CatmullRom.Scale(to, to.Bounds(), m, m.Bounds(), draw.Src, nil)
	}
	return to
}

// jpegConfig refuses a JPEG of very many scans, each of which goes over the whole
// picture again.
func jpegConfig(data []byte) (image.Config, error) {
	if bytes.Count(data, []byte{0xff, 0xda}) > maxScans {
		return image.Config{}, unreadable()
	}
	return jpeg.DecodeConfig(bytes.NewReader(data))
}

// webpConfig gives the largest size that the file speaks of: that of its canvas
// or of a frame in it, for the decoder goes by the frame.
func webpConfig(data []byte) (image.Config, error) {
	c, err := webp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return c, err
	}
	for at := 12; at+8 <= len(data); {
		size := int(uint32(data[at+4]) | uint32(data[at+5])<<8 | uint32(data[at+6])<<16 | uint32(data[at+7])<<24)
		body := data[at+8 : min(len(data), at+8+min(size, 16))]
		w, h := frameSize(string(data[at:at+4]), body)
		c.Width, c.Height = max(c.Width, w), max(c.Height, h)
		if size < 0 || size > len(data) {
			break
		}
		at += 8 + size + size&1
	}
	return c, nil
}

// frameSize reads the size of a frame from its first bytes.
func frameSize(chunk string, b []byte) (w, h int) {
	switch {
	case chunk == "VP8L" && len(b) >= 5:
		n := uint32(b[1]) | uint32(b[2])<<8 | uint32(b[3])<<16 | uint32(b[4])<<24
		return int(n&0x3fff) + 1, int(n>>14&0x3fff) + 1
	case chunk == "VP8 " && len(b) >= 10:
		return (int(b[6]) | int(b[7])<<8) & 0x3fff, (int(b[8]) | int(b[9])<<8) & 0x3fff
	}
	return 0, 0
}

// mentioned reports whether any of the texts names the picture.
func mentioned(texts []*string, hash []byte) bool {
	name := hex.EncodeToString(hash)
	for _, t := range texts {
		if t != nil && strings.Contains(*t, name) {
			return true
		}
	}
	return false
}
