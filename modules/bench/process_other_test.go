//go:build !linux

package bench

import "os/exec"

// endWithParent does nothing where a system does not offer it.
func endWithParent(*exec.Cmd) {}

// memory is not known here.
func memory(int) (resident, peak float64) { return 0, 0 }
