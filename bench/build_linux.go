package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
)

const module = "github.com/fiberwsx/wsx/bench"

// build builds the servers into dir.
func build(ctx context.Context, dir string, ps []program) error {
	root, err := moduleDir(ctx)
	if err != nil {
		return err
	}
	var pkgs []string
	for _, p := range ps {
		if !slices.Contains(pkgs, p.pkg) {
			pkgs = append(pkgs, p.pkg)
		}
	}
	fmt.Fprintf(os.Stderr, "building %d servers\n", len(pkgs))
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-o", dir + "/"}, pkgs...)...) //nolint:gosec // packages of this module
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the servers: %w\n%s", err, out)
	}
	return nil
}

// moduleDir finds the module, from its own folder or from anywhere in the workspace.
func moduleDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("run it inside the repository: %w", err)
	}
	return string(bytes.TrimSpace(out)), nil
}
