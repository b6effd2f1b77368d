// Command guards removes each guard of this repository once, in a copy of the tree, and sees that a test fails.
//
//	./guards                 every guard; most of an hour
//	./guards -run 'frame|jwt'   those whose name matches
//	./guards -list           what there is
//
// A guard that can be taken out without a test that notices is one that somebody takes out by mistake. The exit code is
// 1 when one was not noticed, when a removal does not compile, or when its text is no longer where the table says.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	run := flag.String("run", "", "only the guards whose name matches this `pattern`")
	list := flag.Bool("list", false, "print the guards, and remove none")
	whole := flag.Bool("whole", false, "run all tests of the package, not only those that the table names")
	flag.Parse()
	pattern, err := regexp.Compile(*run)
	if err != nil {
		fatal(err)
	}
	chosen := choose(guards(), pattern)
	if len(chosen) == 0 {
		fatal(fmt.Errorf("no guard is named like %q", *run))
	}
	if *list {
		for _, g := range chosen {
			fmt.Printf("%-45s %-30s %s %s\n", g.name, g.file, g.pkg, g.tests)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := try(ctx, chosen, *whole)
	stop()
	if err != nil {
		fatal(err)
	}
	if !ok {
		os.Exit(1)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "guards:", err)
	os.Exit(1)
}

func choose(all []guard, pattern *regexp.Regexp) []guard {
	var chosen []guard
	for _, g := range all {
		if pattern.MatchString(g.name) {
			chosen = append(chosen, g)
		}
	}
	return chosen
}

// try removes the guards one after the other, and reports whether a test noticed each.
func try(ctx context.Context, chosen []guard, whole bool) (ok bool, err error) {
	c, err := newCopy(ctx)
	if err != nil {
		return false, err
	}
	defer c.remove()
	began := time.Now()
	if err := c.passes(ctx, chosen, whole); err != nil {
		return false, err
	}
	caught := 0
	for i, g := range chosen {
		v, err := c.without(ctx, g, whole)
		if err != nil {
			return false, err
		}
		if v.caught {
			caught++
		}
		fmt.Printf("%3d/%d %5.1fs  %-45s %s\n", i+1, len(chosen), v.took.Seconds(), g.name, v.text)
	}
	fmt.Printf("%d of %d guards: caught when removed (%s)\n", caught, len(chosen), time.Since(began).Round(time.Second))
	return caught == len(chosen), nil
}
