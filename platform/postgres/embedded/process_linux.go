package embedded

import "syscall"

func tieToParent(attr *syscall.SysProcAttr, lastSignal syscall.Signal) { attr.Pdeathsig = lastSignal }
