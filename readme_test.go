package wsx_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// pagesWithGo are pages all of whose Go is built, with how many files that is.
var pagesWithGo = map[string]int{
	"README.md": 3, "docs/handlers.md": 3, "docs/delivery.md": 1, "docs/shutdown.md": 2,
	"docs/migrate-contrib.md": 3, "docs/migrate-melody.md": 1, "docs/rooms.md": 1,
}

// TestPagesCompile builds every Go file of these pages.
func TestPagesCompile(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace := make(map[string]string)
	overlayFile := filepath.Join(t.TempDir(), "overlay.json")
	args := []string{"build", "-o", t.TempDir(), "-overlay", overlayFile}
	for page, count := range pagesWithGo {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		programs := goBlock.FindAllSubmatch(text, -1)
		if len(programs) != count {
			t.Fatalf("%s: found %d files, want %d", page, len(programs), count)
		}
		for i, p := range programs {
			file := filepath.Join(t.TempDir(), "page.go")
			if err := os.WriteFile(file, p[1], 0o600); err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("page_%s_%d", strings.TrimSuffix(filepath.Base(page), ".md"), i)
			replace[filepath.Join(root, "internal", name, "page.go")] = file
			args = append(args, "./internal/"+name)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %v: %v\n%s", args, err, out)
	}
}

// TestREADMEHasEverySetting looks for each field of the two configurations in the first column of a table.
func TestREADMEHasEverySetting(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var settings strings.Builder
	for line := range strings.Lines(string(text)) {
		if columns := strings.Split(line, "|"); len(columns) > 2 {
			settings.WriteString(columns[1])
		}
	}
	for _, config := range []reflect.Type{reflect.TypeFor[wsx.Config](), reflect.TypeFor[hub.Config]()} {
		for _, field := range reflect.VisibleFields(config) {
			if field.IsExported() && !strings.Contains(settings.String(), "`"+field.Name+"`") {
				t.Errorf("%v.%s is missing", config, field.Name)
			}
		}
	}
}
