package scenario

import (
	"os"
	"path/filepath"
	"testing"
)

// folder holds the scripts, one for each operation.
const folder = "../api/testdata/scenario"

// scripts reads them all.
func scripts(t *testing.T) []*Script {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*Script
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(filepath.Base(file), string(b))
		if err != nil {
			t.Error(err)
			continue
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		t.Fatal("there are no scripts")
	}
	return all
}

func TestScripts(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			for _, s := range scripts(t) {
				t.Run(s.Name, func(t *testing.T) {
					t.Parallel()
					engines[engine].begin(t, s).Play(t.Context(), s, func(err error) { t.Error(err) })
				})
			}
		})
	}
}
