module icr-login/go-proxy

go 1.25.0

tool icr-login/go-proxy

require golang.org/x/net v0.50.0

require golang.org/x/text v0.34.0 // indirect
