// Prints, for each case on standard input, the proxy that Go's HTTP client takes: host:port, or nothing.
package main

import (
	"encoding/json"
	"net/url"
	"os"

	"golang.org/x/net/http/httpproxy"
)

type testCase struct {
	Env map[string]string
	URL string
}

func choose(each testCase) (string, error) {
	os.Clearenv()
	for name, value := range each.Env {
		if err := os.Setenv(name, value); err != nil {
			return "", err
		}
	}
	target, err := url.Parse(each.URL)
	if err != nil {
		return "", err
	}
	proxy, err := httpproxy.FromEnvironment().ProxyFunc()(target)
	if err != nil || proxy == nil {
		return "", err
	}
	return proxy.Host, nil
}

func main() {
	var cases []testCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	chosen := make([]string, len(cases))
	for at, each := range cases {
		host, err := choose(each)
		if err != nil {
			panic(err)
		}
		chosen[at] = host
	}
	if err := json.NewEncoder(os.Stdout).Encode(chosen); err != nil {
		panic(err)
	}
}
