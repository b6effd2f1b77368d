package wsx_test

import (
	"testing"

	"github.com/fiberwsx/wsx/wsxtest/conformance"
)

// TestConformance holds every transport to the RFCs, case by case.
func TestConformance(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		conformance.Run(t, conformance.Server{URL: on.serve(t, echoHub())})
	})
}
