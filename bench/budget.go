package main

import "fmt"

// budget is what wsx may cost at most as a share of what another server costs in the same round. In every number 0
// means that there is none.
type budget struct {
	contrib, gws, limit float64 // must hold
	gwsAim, limitAim    float64
	plain               float64 // of wsx itself without acknowledgements; must hold
	most                float64 // in the workload's own unit
}

// share returns the budget against a server, and the aim.
func (b budget) share(server string) (most, aim float64) {
	switch server {
	case contribName:
		return b.contrib, 0
	case gwsName:
		return b.gws, b.gwsAim
	case limitName:
		return b.limit, b.limitAim
	default:
		return 0, 0
	}
}

// verdict says whether a ratio is within the budget, in words for a table.
func verdict(ratio, most, aim float64) string {
	switch {
	case most == 0:
		return ""
	case ratio > most:
		return fmt.Sprintf("MISSED, %s allowed", number(most))
	case aim > 0 && ratio > aim:
		return fmt.Sprintf("held, %s allowed, %s aimed at", number(most), number(aim))
	default:
		return fmt.Sprintf("held, %s allowed", number(most))
	}
}

// number prints with two digits that count.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 0.1:
		return fmt.Sprintf("%.3f", v)
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}
