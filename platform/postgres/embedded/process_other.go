//go:build !linux

package embedded

import "syscall"

// tieToParent does nothing where the kernel cannot: a server left by a killed process is stopped at the next start.
func tieToParent(*syscall.SysProcAttr, syscall.Signal) {}
