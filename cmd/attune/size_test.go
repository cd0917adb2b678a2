package main

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
)

func TestMemorySize(t *testing.T) {
	for typed, want := range map[string]memorySize{
		"4GiB": 4 << 30, "4G": 4e9, "4 gib": 4 << 30, "1.5GiB": 3 << 29, "512MiB": 512 << 20, "512m": 512e6, "2GB": 2e9, "1TiB": 1 << 40,
		"2048KiB": 2 << 20, "1073741824": 1 << 30, " 1MiB ": 1 << 20,
	} {
		var got memorySize
		if err := got.UnmarshalText([]byte(typed)); err != nil || got != want {
			t.Errorf("%q is %d bytes (%v), want %d", typed, got, err, want)
		}
	}
	for typed, words := range map[string]string{
		"": "no size", "GiB": "no size", "lots": "no size", "NaN": "no size", "NaNGiB": "no size", "Inf": "no size", "-4GiB": "no size", "4GiBs": "no size",
		"4 4GiB": "no size", "1e9": "no size", "1e30": "no size", "9000000000GiB": "no size", "1e999": "no size", "0x10GiB": "no size", "4iB": "no size",
		"0": "too little", "4": "too little", "0GiB": "too little", "1000KiB": "too little",
	} {
		var got memorySize
		if err := got.UnmarshalText([]byte(typed)); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), words) || got != 0 {
			t.Errorf("%q is %d bytes (%v), want an error that says %q", typed, got, err, words)
		}
	}
}
