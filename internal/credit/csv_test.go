package credit_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/tenantry/tenantry/internal/credit"
)

func TestCSVNeutralisesFormulas(t *testing.T) {
	reasons := map[string]string{
		"=HYPERLINK(\"x\")": "'=HYPERLINK(\"x\")", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "'x",
		"＝1": "'＝1", "Monthly, \"big\"\nallocation": "Monthly, \"big\"\nallocation", "": "", "1=1": "1=1",
	}
	for in, want := range reasons {
		var out bytes.Buffer
		if err := credit.WriteCSV(&out, []credit.Transaction{{ID: 1, Kind: credit.Added, Amount: 5, BalanceAfter: -3, Reason: &in}}); err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(&out)
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		if len(rows) != 2 || len(rows[0]) != len(credit.Columns) || rows[1][8] != want || rows[1][3] != "5" || rows[1][4] != "-3" {
			t.Errorf("%q: got %q, want %q", in, rows, want)
		}
	}
}
