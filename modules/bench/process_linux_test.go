package bench

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// endWithParent has a child killed when this process is.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// memory returns a process' resident memory and its peak in MiB.
func memory(pid int) (resident, peak float64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f", &kib); n == 1 {
			resident = kib / 1024
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %f", &kib); n == 1 {
			peak = kib / 1024
		}
	}
	return resident, peak
}
