// Package pace looks ahead: when something runs out if it goes on as it did in
// the last seven days.
package pace

import (
	"fmt"
	"math"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// Days is over how many days the pace is taken.
const Days = 7

// farthest is how many days ahead something is said of: ten years.
const farthest = 3650

// Outlook says when something runs out.
type Outlook struct {
	PerDay    float64  `json:"per_day" doc:"The pace: the average of the last seven days"`
	DaysLeft  *float64 `json:"days_left" doc:"null: not at this pace, not before it begins anew, or not within ten years"`
	RunsOutAt *db.Time `json:"runs_out_at"`
	Sentence  string   `json:"sentence" example:"At this pace: 12 days."`
}

// Ahead works out when what is left runs out at so much a day. What begins anew
// does so at reset; zero is never.
func Ahead(now db.Time, left int64, perDay float64, reset db.Time) Outlook {
	o := Outlook{PerDay: round(perDay), Sentence: "Not at this pace."}
	if left <= 0 {
		o.DaysLeft, o.RunsOutAt, o.Sentence = new(0.0), &now, "It has run out."
		return o
	}
	days := float64(left) / perDay
	if perDay <= 0 || days > farthest {
		return o
	}
	at := now.Add(time.Duration(days * 24 * float64(time.Hour)))
	if reset != 0 && at >= reset {
		o.Sentence = "Not before it begins anew."
		return o
	}
	o.DaysLeft, o.RunsOutAt, o.Sentence = new(round(days)), &at, fmt.Sprintf("At this pace: %s.", word(days))
	return o
}

// Warning is the sentence where it is worth ending a warning with: something is
// left, and will not be.
func (o Outlook) Warning() string {
	if o.DaysLeft == nil || *o.DaysLeft == 0 {
		return ""
	}
	return o.Sentence
}

func word(days float64) string {
	switch n := int64(math.Floor(days)); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

func round(f float64) float64 { return math.Round(f*100) / 100 }
