/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho learn`: which conduits would the seen traffic need? From a capture, or live from a
 * switch's mirror port. */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/duration.h"
#include "mgmt/cli/learn/learn.h"
#include "mgmt/cli/shut/shut.h"
#include "mgmt/cli/verbs.h"

#define FOR_MAX (366u * 86400u)
#define WAIT_MS 200

/* SIGINT, SIGTERM or SIGHUP came: prints what was learnt so far. */
static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = 1;
}

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

/* A signal that the caller had ignored stays ignored, as under nohup or for a background job.
 * SIGTERM is never ignored, because this process ends its child with it. */
static bool is_spared(int signal)
{
	struct sigaction act;

	return signal != SIGTERM && sigaction(signal, NULL, &act) == 0 && act.sa_handler == SIG_IGN;
}

static void stop_by_signals(const sigset_t *before)
{
	const struct sigaction act = { .sa_handler = stop };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!is_spared(ends[i]))
			sigaction(ends[i], &act, NULL);
	sigprocmask(SIG_SETMASK, before, NULL);
}

static int tell(struct cli *c, struct study *s, const struct said *said, const char *from, uint64_t lost,
		uint64_t missed)
{
	struct learnt *l = study_finish(s);
	bool refused = false;

	l->tally.lost = lost;
	l->tally.missed = missed;
	if (!propose(c, l, said, from, &refused))
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	/* A text that `check` refuses must not be taken for a policy, and comments alone are no
	 * policy. */
	return lost > 0 || missed > 0 || (refused && said->policy == NULL && !c->json) ? CLI_NO : CLI_YES;
}

/* ---- a capture ------------------------------------------------------------------------------- */

static int from_capture(struct cli *c, const char *name, const struct said *said)
{
	struct err e = { 0 };
	struct capture_frame f;
	enum capture_step step;
	struct capture *capture;
	struct study *s;
	struct stat st;
	FILE *from = fopen(name, "rb");
	char text[512];
	int status;

	if (from == NULL)
		return cli_fail_file(c, CLI_CANNOT, name, errno);
	if (fstat(fileno(from), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(from);
		return cli_fail_file(c, CLI_CANNOT, name, EISDIR);
	}
	capture = capture_open(from, name, c->lang, &e);
	if (capture == NULL) {
		message_text(text, sizeof(text), c->lang, M_REPLAY_UNREADABLE, e.text);
		return cli_fail_text(c, CLI_CANNOT, text);
	}
	s = study_new(said->policy != NULL ? said->policy->c.ir : NULL, &e);
	if (s == NULL) {
		capture_close(capture);
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	}
	while ((step = capture_next(capture, &f, &e)) == CAPTURE_FRAME)
		study_frame(s, &f);
	status = tell(c, s, said, name, 0, 0);
	fflush(c->out);
	if (step == CAPTURE_DAMAGED && !c->json) {
		message_text(text, sizeof(text), c->lang, M_REPLAY_DAMAGED, f.number, e.text);
		status = cli_fail_text(c, CLI_CANNOT, text);
	} else if (step == CAPTURE_DAMAGED) {
		status = CLI_CANNOT;
	}
	if (capture_unread(capture, text, sizeof(text)) > 0)
		status = c->json ? CLI_CANNOT : cli_fail_text(c, CLI_CANNOT, text);
	study_free(s);
	capture_close(capture);
	return status;
}

/* ---- a mirror port --------------------------------------------------------------------------- */

/* The study's clock is the frames' clock. */
static uint64_t milliseconds(clockid_t which)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(which, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static uint64_t seconds(void)
{
	return milliseconds(CLOCK_MONOTONIC) / 1000u;
}

static void show_progress(struct cli *c, struct study *s, uint64_t lost, uint64_t since, const char *end)
{
	uint64_t t = seconds() - since;

	message_print(c->err, c->lang, M_LEARN_PROGRESS, (unsigned long long)(t / 3600), (unsigned)(t / 60 % 60),
		      (unsigned)(t % 60), (unsigned long long)study_tally(s)->frames, study_sessions(s),
		      (unsigned long long)lost, end);
	fflush(c->err);
}

/* Reads what came before the end: the kernel passes frames on together, up to CAPTURE_BLOCK_MS
 * later. */
static void drain(struct capture *capture, struct study *s)
{
	uint64_t begun = milliseconds(CLOCK_MONOTONIC), end_ns = (milliseconds(CLOCK_REALTIME) + 1) * 1000000u;
	struct capture_frame f;
	enum capture_step step;
	struct err e = { 0 };

	while ((step = capture_next(capture, &f, &e)) != CAPTURE_DAMAGED) {
		if (step == CAPTURE_FRAME && f.wall_ns > end_ns)
			break;
		if (step == CAPTURE_FRAME)
			study_frame(s, &f);
		else if (milliseconds(CLOCK_MONOTONIC) - begun >= 4u * CAPTURE_BLOCK_MS)
			break; /* read once more after the last wait, without result */
		else
			capture_wait(capture, CAPTURE_BLOCK_MS);
	}
}

/* Runs in the sandboxed process until the time is over or somebody stops it. */
static int listen_on(struct cli *c, struct capture *capture, struct study *s, const struct said *said,
		     const struct mirror *m, uint64_t span, bool progress)
{
	uint64_t begun = seconds(), shown = begun, now = begun, lost = 0;
	enum capture_step step = CAPTURE_IDLE;
	struct capture_frame f;
	struct err e = { 0 };
	int status;

	while (!stopped && step != CAPTURE_DAMAGED && (span == 0 || now - begun < span)) {
		step = capture_next(capture, &f, &e);
		if (step == CAPTURE_FRAME)
			study_frame(s, &f);
		else if (step == CAPTURE_IDLE)
			capture_wait(capture, WAIT_MS);
		now = seconds();
		if (now == shown)
			continue;
		shown = now;
		lost = capture_lost(capture);
		if (progress)
			show_progress(c, s, lost, begun, "\r");
	}
	if (step != CAPTURE_DAMAGED)
		drain(capture, s);
	lost = capture_lost(capture);
	if (progress)
		show_progress(c, s, lost, begun, "\n");
	status = tell(c, s, said, m->name, lost, mirror_missed(m));
	fflush(c->out);
	if (step == CAPTURE_DAMAGED && !c->json)
		status = cli_fail_text(c, CLI_CANNOT, e.text);
	return step == CAPTURE_DAMAGED ? CLI_CANNOT : status;
}

static _Noreturn void child(struct cli *c, pid_t parent, struct capture *capture, const struct said *said,
			    const struct mirror *m, uint64_t span)
{
	/* Calls for waiting on the ring and for reading the counters of losses. Nothing can be sent
	 * on the ring's socket. */
	static const int calls[] = { SCMP_SYS(gettimeofday), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(restart_syscall),
				     SCMP_SYS(getsockopt),   SCMP_SYS(read), SCMP_SYS(close) };
	const struct shut shut = { .parent = parent,
				   .calls = calls,
				   .n_calls = sizeof(calls) / sizeof(calls[0]),
				   .first_fd = STDOUT_FILENO,
				   .last_fd = STDERR_FILENO };
	bool progress = !c->json && isatty(STDERR_FILENO); /* the terminal cannot be asked later */
	struct err e = { 0 };
	struct study *s;
	int status;

	if (!shut_in(&shut)) {
		cli_fail(c, CLI_CANNOT, M_LEARN_NOT_SHUT);
		_exit(CLI_CANNOT);
	}
	s = study_new(said->policy != NULL ? said->policy->c.ir : NULL, &e);
	status = s != NULL ? listen_on(c, capture, s, said, m, span, progress)
			   : cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	if (fflush(c->out) != 0 || ferror(c->out))
		status = cli_fail(c, CLI_CANNOT, M_CLI_OUTPUT);
	fflush(c->err);
	_exit(status);
}

/* Waits for the child and passes on a signal that only this process got. `signals` are blocked, so
 * that none is lost in between. */
static int wait_for(pid_t pid, const sigset_t *signals)
{
	int status = 0, which;

	while (waitpid(pid, &status, WNOHANG) == 0)
		if (sigwait(signals, &which) == 0 && which != SIGCHLD)
			kill(pid, SIGTERM);
	return status;
}

static int from_mirror(struct cli *c, const char *device, const struct said *said, uint64_t span)
{
	struct capture *capture;
	sigset_t signals, before;
	struct mirror m;
	struct err e = { 0 };
	pid_t self = getpid(), pid;
	int status = CLI_CANNOT, ended;

	/* From here on a signal ends the learning, but not the restoring of the interface. */
	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!is_spared(ends[i]))
			sigaddset(&signals, ends[i]);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &before);
	if (!mirror_take(c, device, said->policy != NULL ? said->policy->c.model : NULL, &m, &status))
		return status;
	capture = capture_live(device, c->lang, &e);
	if (capture == NULL) {
		status = cli_fail_text(c, CLI_CANNOT, e.text);
		mirror_give_back(c, &m);
		return status;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		stop_by_signals(&before);
		child(c, self, capture, said, &m, span);
	}
	ended = pid > 0 ? wait_for(pid, &signals) : -1;
	capture_close(capture);
	if (pid > 0 && WIFEXITED(ended))
		status = WEXITSTATUS(ended);
	else
		status = cli_fail(c, CLI_CANNOT, M_LEARN_DIED);
	if (mirror_give_back(c, &m) > 0 && status == CLI_YES)
		status = CLI_NO;
	return status;
}

/* ---- the verb -------------------------------------------------------------------------------- */

int verb_learn(struct cli *c, const struct cli_args *a)
{
	const char *pcap = a->values[OPT_LEARN_PCAP], *device = a->values[OPT_LEARN_MIRROR];
	struct source policy = { 0 };
	struct said said = { 0 };
	uint64_t span = 0;
	int status = CLI_YES;

	if ((pcap == NULL) == (device == NULL)) {
		status = cli_fail(c, CLI_INVALID, M_LEARN_ONE);
		cli_see(c, a->verb);
		return status;
	}
	if (a->values[OPT_LEARN_FOR] != NULL &&
	    (device == NULL || !duration_parse(a->values[OPT_LEARN_FOR], FOR_MAX, &span) || span == 0))
		return cli_fail(c, CLI_INVALID, M_LEARN_FOR, a->values[OPT_LEARN_FOR]);
	if (a->values[OPT_LEARN_TAGS] != NULL && c->json)
		return cli_fail(c, CLI_INVALID, M_LEARN_TAGS_JSON);
	if (a->values[OPT_LEARN_POLICY] != NULL) {
		said.policy = &policy;
		if (!source_open(c, a->values[OPT_LEARN_POLICY], SOURCE_LOWER, &policy, &status))
			goto out;
	}
	if (a->values[OPT_LEARN_TAGS] != NULL &&
	    (said.tags = tag_names_read(c, a->values[OPT_LEARN_TAGS], &status)) == NULL)
		goto out;
	if (pcap != NULL)
		status = from_capture(c, pcap, &said);
	else
		status = from_mirror(c, device, &said, span);
out:
	tag_names_free(said.tags);
	if (said.policy != NULL)
		source_close(&policy);
	return status;
}
