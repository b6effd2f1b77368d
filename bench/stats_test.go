package main

import (
	"slices"
	"testing"
)

func TestMedianAndRatios(t *testing.T) {
	for _, row := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{5, 1, 3}, 3}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(row.values); got != row.want {
			t.Errorf("median of %v: got %v, want %v", row.values, got, row.want)
		}
	}
	// A round in which one of them failed, with -1, says nothing.
	got := ratios([]float64{1, -1, 3, 4}, []float64{2, 2, -1, 8, 9})
	if want := []float64{0.5, 0.5}; !slices.Equal(got, want) {
		t.Errorf("ratios: got %v, want %v", got, want)
	}
}

func TestVerdict(t *testing.T) {
	for _, row := range []struct {
		ratio, most, aim float64
		want             string
	}{
		{0.9, 0, 0, ""},
		{0.81, 0.80, 0, "MISSED, 0.80 allowed"},
		{0.80, 0.80, 0, "held, 0.80 allowed"},
		{0.9, 0.95, 0.85, "held, 0.95 allowed, 0.85 aimed at"},
		{0.85, 0.95, 0.85, "held, 0.95 allowed"},
		{0.031, 0.03, 0.015, "MISSED, 0.030 allowed"},
	} {
		if got := verdict(row.ratio, row.most, row.aim); got != row.want {
			t.Errorf("%v of %v, aim %v: got %q, want %q", row.ratio, row.most, row.aim, got, row.want)
		}
	}
}
