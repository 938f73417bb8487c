// quamina for ../matcher.py: quamina_bench --rules FILE... --events FILE --seconds N.
//
//	go build -o quamina_bench quamina_bench.go
//	matcher.py --peer quamina="env GOMAXPROCS=1 GOGC=400 ./quamina_bench"
//
// Fails where quamina refuses a pattern, so that the table has an empty cell. Time is the CPU time of the process: the
// collector runs in it. The first pass, which builds quamina's automata, doesn't count.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"quamina.net/go/quamina/v2"
)

func cpuSeconds() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func addRules(matcher *quamina.Quamina, path string, count int) int {
	var rules []struct{ Pattern json.RawMessage }
	data, err := os.ReadFile(path)
	check(err)
	check(json.Unmarshal(data, &rules))
	for _, rule := range rules {
		check(matcher.AddPattern(count, string(rule.Pattern)))
		count++
	}
	return count
}

func pass(matcher *quamina.Quamina, events [][]byte) int {
	matches := 0
	for _, event := range events {
		found, err := matcher.MatchesForEvent(event)
		check(err)
		matches += len(found)
	}
	return matches
}

func main() {
	var events [][]byte
	matcher, err := quamina.New()
	check(err)
	wanted, count := 3.0, 0
	for i := 1; i+1 < len(os.Args); i += 2 {
		switch value := os.Args[i+1]; os.Args[i] {
		case "--rules":
			count = addRules(matcher, value, count)
		case "--events":
			data, err := os.ReadFile(value)
			check(err)
			for _, line := range bytes.Split(data, []byte("\n")) {
				if len(bytes.TrimSpace(line)) > 0 {
					events = append(events, line)
				}
			}
		case "--seconds":
			wanted, err = strconv.ParseFloat(value, 64)
			check(err)
		}
	}
	matches, passes, seconds := pass(matcher, events), 0, 0.0
	for start := cpuSeconds(); seconds < wanted; seconds = cpuSeconds() - start {
		pass(matcher, events)
		passes++
	}
	fmt.Printf("{\"events\":%d,\"matches_per_pass\":%d,\"cpu_seconds\":%f}\n", passes*len(events), matches, seconds)
}
