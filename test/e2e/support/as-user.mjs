// Preloaded into a step with --import by a test that runs as root: from here on the step is user AS_USER.
const user = Number(process.env.AS_USER)
process.setgroups([])
process.setgid(user)
process.setuid(user)
