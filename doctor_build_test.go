package wsx

import (
	"log/slog"
	"runtime/debug"
	"strings"
	"testing"
)

// TestWarnsOfFasthttp reads what a program would be built of: to build one it needs a newer fasthttp.
func TestWarnsOfFasthttp(t *testing.T) {
	const path = "github.com/valyala/fasthttp"
	tests := map[string]struct {
		module debug.Module
		want   bool
	}{
		"the pinned one":       {debug.Module{Path: path, Version: "v1.58.0"}, false},
		"a patch of it":        {debug.Module{Path: path, Version: "v1.58.9"}, false},
		"an older one":         {debug.Module{Path: path, Version: "v1.9.0"}, false},
		"the next one":         {debug.Module{Path: path, Version: "v1.59.0"}, true},
		"a prerelease":         {debug.Module{Path: path, Version: "v1.62.0-rc.1"}, true},
		"much newer":           {debug.Module{Path: path, Version: "v1.100.0"}, true},
		"replaced by an older": {debug.Module{Path: path, Version: "v1.62.0", Replace: &debug.Module{Path: path, Version: "v1.58.0"}}, false},
		"replaced by a newer":  {debug.Module{Path: path, Version: "v1.58.0", Replace: &debug.Module{Path: path, Version: "v1.62.0"}}, true},
		"replaced by a folder": {debug.Module{Path: path, Version: "v1.62.0", Replace: &debug.Module{Path: "../fasthttp"}}, false},
		"another module":       {debug.Module{Path: "example.com/fasthttp", Version: "v1.62.0"}, false},
		"no number":            {debug.Module{Path: path, Version: "v1.x"}, false},
	}
	for name, tt := range tests {
		var log strings.Builder
		examineModules([]*debug.Module{{Path: "example.com/a"}, &tt.module}, slog.New(slog.NewTextHandler(&log, nil)))
		if got := strings.Count(log.String(), "require github.com/valyala/fasthttp v1.58.0"); got == 1 != tt.want || got > 1 {
			t.Errorf("%s: warned %d times, want %t", name, got, tt.want)
		}
	}
}
