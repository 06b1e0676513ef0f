package config

import (
	"errors"
	"net/netip"
	"strings"
)

var errPrefix = errors.New("an IP address, or a range such as 10.0.0.0/8, is allowed")

// prefix returns a range of IP addresses; an address alone is a range of one. An IPv4 address written as an IPv6 one becomes
// the former, as which clients are seen; a range written so is refused.
func prefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return netip.Prefix{}, errPrefix
		}
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	all, err := netip.ParsePrefix(text)
	if err != nil || all.Addr().Is4In6() {
		return netip.Prefix{}, errPrefix
	}
	return all.Masked(), nil
}

// prefixes returns the ranges of a list that has been checked.
func prefixes(l list) []netip.Prefix {
	var all []netip.Prefix
	for _, item := range l.items() {
		if one, err := prefix(item); err == nil {
			all = append(all, one)
		}
	}
	return all
}
