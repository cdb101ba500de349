/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/box/request.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/errno_text.h"
#include "appliance/base/utf8.h"
#include "appliance/wire/judged.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/orders.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/state/journal.h"

/* Progress of the box for somebody at a terminal: one line on standard error, overwritten again and
 * again, and removed with the answer. */

/* Begins as zero bytes. */
struct progress_line {
	size_t cells; /* cells that are written now */
};

#define COLUMNS_USUAL 80u /* when the terminal does not tell */
#define KEY_CELLS 2u	  /* cells of "^C", which the terminal writes behind the line */

static void stage_text(const struct cli *c, const struct msg_progress *p, char *out, size_t size)
{
	static const enum message plain[PROGRESS_STAGES] = {
		[PROGRESS_WAITS_CHANGE] = M_PROGRESS_WAITS_CHANGE,
		[PROGRESS_WAITS_TURN] = M_PROGRESS_WAITS_TURN,
		[PROGRESS_COMPILES] = M_PROGRESS_COMPILES,
		[PROGRESS_WORKERS] = M_PROGRESS_WORKERS,
		[PROGRESS_READS] = M_PROGRESS_READS,
		[PROGRESS_SESSIONS] = M_PROGRESS_SESSIONS,
		[PROGRESS_IMPACT] = M_PROGRESS_IMPACT,
		[PROGRESS_KERNEL] = M_PROGRESS_KERNEL,
		[PROGRESS_COMPARES] = M_PROGRESS_COMPARES,
		[PROGRESS_EXECUTES] = M_PROGRESS_EXECUTES,
		[PROGRESS_PACKETS] = M_PROGRESS_PACKETS,
		[PROGRESS_LISTS] = M_PROGRESS_LISTS,
	};
	const char *what = message_format(plain[p->stage], c->lang);
	unsigned long long done = p->done, of = p->of, entries = p->entries;

	if (entries > 0 && of > 0)
		message_text(out, size, c->lang, M_PROGRESS_PARTS, what, done, of, entries);
	else if (of > 0)
		message_text(out, size, c->lang, M_PROGRESS_OF, what, done, of);
	else if (done > 0)
		message_text(out, size, c->lang, M_PROGRESS_DONE, what, done);
	else
		snprintf(out, size, "%s", what);
}

static void progress_put(struct progress_line *l, struct cli *c, const char *text)
{
	size_t cells = text_cells(text);

	fprintf(c->err, "\r%s", text);
	for (size_t i = cells; i < l->cells; i++)
		fputc(' ', c->err);
	l->cells = cells > 0 ? cells + KEY_CELLS : 0;
}

static size_t columns(const struct cli *c)
{
	struct winsize w;

	return ioctl(fileno(c->err), TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : COLUMNS_USUAL;
}

/* `waited_ns`: how long the wait has lasted. */
static void progress_show(struct progress_line *l, struct cli *c, const struct msg_progress *p, uint64_t waited_ns)
{
	char said[300], text[400];

	stage_text(c, p, said, sizeof(said));
	message_text(text, sizeof(text), c->lang, M_PROGRESS_LINE, said, (unsigned)(waited_ns / 1000000000u));
	/* A line that wraps cannot be overwritten. */
	if (text_cells(text) + KEY_CELLS < columns(c))
		progress_put(l, c, text);
	fflush(c->err);
}

/* Clears the line, so that the next text begins at its start. False: there was none. */
static bool progress_clear(struct progress_line *l, struct cli *c)
{
	if (l->cells == 0)
		return false;
	progress_put(l, c, "");
	fputc('\r', c->err);
	fflush(c->err);
	return true;
}

#define ANSWER_MAX (64u << 20) /* bytes of JSON */
#define SECOND_NS 1000000000u
#define SOCKET_PATH sizeof(((struct sockaddr_un *)NULL)->sun_path)

static int fail_connect(struct cli *c, int code)
{
	switch (code) {
	case ENOENT:
	case ECONNREFUSED:
		return cli_fail(c, CLI_CANNOT, M_BOX_ABSENT, c->socket);
	case EACCES:
	case EPERM:
		return cli_fail(c, CLI_CANNOT, M_BOX_NO_RIGHT, c->socket);
	default:
		return cli_fail(c, CLI_CANNOT, M_BOX_CONNECT, c->socket, strerror(code));
	}
}

/* A connected socket, or negative errno; `c->socket` is short enough. */
static int try_connect_to(const char *path, unsigned timeout_s)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = (time_t)timeout_s };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), code;

	memcpy(to.sun_path, path, strlen(path) + 1);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	code = errno;
	if (fd >= 0)
		close(fd);
	return -code;
}

/* Tries the socket of this name beside the control socket. */
static int try_beside(const struct cli *c, const char *name, unsigned timeout_s)
{
	static const char own[] = "/control.sock";
	size_t n = strlen(c->socket), tail = sizeof(own) - 1;
	char path[SOCKET_PATH];

	if (n < tail || strcmp(c->socket + n - tail, own) != 0 ||
	    snprintf(path, sizeof(path), "%.*s%s", (int)(n - tail), c->socket, name) >= (int)sizeof(path))
		return -ENOENT;
	return try_connect_to(path, timeout_s);
}

/* Tries root's socket, and if this is not permitted, the socket for logins of accounts. `order`: of
 * those that the supervisor reads (wire/judged.h). A box without such sockets is of another
 * release, or is not there; its control socket tells. */
static int try_connect(const struct cli *c, bool order, unsigned timeout_s)
{
	int fd = order ? try_beside(c, "/orders.sock", timeout_s) : -ENOENT, other;

	if (fd == -ENOENT || fd == -ECONNREFUSED)
		fd = try_connect_to(c->socket, timeout_s);
	if (fd != -EACCES)
		return fd;
	other = try_beside(c, order ? "/login-orders.sock" : "/login.sock", timeout_s);
	return other >= 0 ? other : fd;
}

/* As try_connect; -1 with *ret_status set, after the reason was printed. */
static int box_connect(struct cli *c, bool order, unsigned timeout_s, int *ret_status)
{
	int fd;

	if (strlen(c->socket) >= SOCKET_PATH) {
		*ret_status = cli_fail(c, CLI_INVALID, M_BOX_PATH_LONG, c->socket);
		return -1;
	}
	fd = try_connect(c, order, timeout_s);
	if (fd >= 0)
		return fd;
	*ret_status = fail_connect(c, -fd);
	return -1;
}

static bool read_answer(struct cli *c, struct msg *m, struct box_answer *ret, int *ret_status)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;
	bool ok = false;

	ret->status = m->body.answer.status;
	if (m->n_fds == 0) { /* a status without JSON */
		ret->json = json_object();
		ok = true;
	} else if (memfd_read(m->fds[0], ANSWER_MAX, &text, &n, &e) < 0) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_LOST, e.text);
	} else {
		ret->json = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
		ok = json_is_object(ret->json);
		if (!ok) {
			box_answer_free(ret);
			*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_NONSENSE);
		}
	}
	free(text);
	return ok;
}

/* ---- Ctrl-C ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = 1;
}

/* The former action of a signal, to be restored. */
struct keyboard {
	bool heard; /* this program handles the signal; false = the caller had it ignored */
	struct sigaction before;
	sigset_t mask;
};

/* Blocks Ctrl-C until keyboard_wait takes it, so that none is lost in between. */
static void keyboard_begin(struct keyboard *k)
{
	const struct sigaction act = { .sa_handler = interrupt };
	sigset_t one;

	interrupted = 0;
	*k = (struct keyboard){ 0 };
	if (sigaction(SIGINT, NULL, &k->before) < 0 || k->before.sa_handler == SIG_IGN)
		return;
	sigemptyset(&one);
	sigaddset(&one, SIGINT);
	k->heard = sigprocmask(SIG_BLOCK, &one, &k->mask) == 0;
	if (k->heard && sigaction(SIGINT, &act, NULL) < 0) {
		sigprocmask(SIG_SETMASK, &k->mask, NULL);
		k->heard = false;
	}
}

/* Waits for an answer or Ctrl-C. 0: an answer is there. -EINTR: Ctrl-C was pressed. -EAGAIN: the
 * time is up. */
static int keyboard_wait(const struct keyboard *k, int sock, uint64_t until_ns)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int n;

	do {
		uint64_t now = clock_mono().ns, left = until_ns > now ? until_ns - now : 0;
		const struct timespec limit = { .tv_sec = (time_t)(left / SECOND_NS),
						.tv_nsec = (long)(left % SECOND_NS) };

		n = ppoll(&p, 1, &limit, k->heard ? &k->mask : NULL);
	} while (n < 0 && errno == EINTR && !(k->heard && interrupted));
	if (n == 0)
		return -EAGAIN;
	return n < 0 && k->heard && interrupted ? -EINTR : 0;
}

static void keyboard_end(const struct keyboard *k)
{
	if (!k->heard)
		return;
	/* a Ctrl-C that came with the answer has no effect */
	sigprocmask(SIG_SETMASK, &k->mask, NULL);
	sigaction(SIGINT, &k->before, NULL);
}

/* Whether the question changes nothing. The box stops such a question when nobody waits for the
 * answer; it finishes all others. */
static bool only_looks(const struct msg_body *q)
{
	if (q->type == MSG_CTL_CHANGE)
		return change_tries(q->ctl_change.order, q->ctl_change.flags);
	if (q->type == MSG_CHANGE)
		return change_tries(q->change.order, q->change.flags);
	return q->type == MSG_VERIFY || q->type == MSG_EFFECTIVE;
}

static int fail_stopped(struct cli *c, const struct msg_body *question, uint64_t since_ns, bool at_edge)
{
	if (!c->json && !at_edge && isatty(STDERR_FILENO))
		fputc('\n', c->err); /* the terminal has written "^C" */
	return cli_fail(c, CLI_STOPPED, only_looks(question) ? M_BOX_STOPPED : M_BOX_GOES_ON,
			(unsigned)((clock_mono().ns - since_ns) / SECOND_NS));
}

struct msg_body box_change(const struct msg_change *c)
{
	struct msg_body m = { MSG_CHANGE, .change = *c };

	if (geteuid() != 0)
		return m;
	m = (struct msg_body){
		MSG_CTL_CHANGE,
		.ctl_change = { .order = c->order, .flags = c->flags, .confirm_s = c->confirm_s, .comment = c->comment }
	};
	memcpy(m.ctl_change.object, c->object, sizeof(c->object));
	memcpy(m.ctl_change.person, c->person, sizeof(c->person));
	memcpy(m.ctl_change.ticket, c->ticket, sizeof(c->ticket));
	return m;
}

/* ---- progress -------------------------------------------------------------------------------- */

/* Progress is shown only to a person at a terminal; what a program reads has none of it. */
static bool wants_progress(const struct cli *c)
{
	return !c->json && isatty(fileno(c->err)) == 1;
}

static struct msg_body telling(const struct msg_body *question)
{
	struct msg_body q = *question;

	if (q.type == MSG_VERIFY)
		q.verify.tell = 1;
	else if (q.type == MSG_EFFECTIVE)
		q.effective.tell = 1;
	else if (q.type == MSG_CTL_CHANGE)
		q.ctl_change.flags |= APPLY_TELL;
	else if (q.type == MSG_CHANGE)
		q.change.flags |= APPLY_TELL;
	return q;
}

/* ---- a question ------------------------------------------------------------------------------ */

/* Reports a connection that has ended. Either the box has ended, or only the role that answers
 * people; its successor then starts soon. */
static int fail_ended(struct cli *c, unsigned timeout_s)
{
	int again = try_connect(c, false, timeout_s);

	if (again < 0)
		return fail_connect(c, -again);
	close(again);
	return cli_fail(c, CLI_CANNOT, M_BOX_CLOSED);
}

/* Asks and waits. False: there was no answer; the reason was reported. */
static bool exchange(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		     bool may_stop, struct msg *ret, int *ret_status)
{
	const struct msg_body asked = may_stop && wants_progress(c) ? telling(question) : *question;
	int sock = box_connect(c, order_is_boxs(question), timeout_s, ret_status), got;
	uint64_t since_ns = clock_mono().ns;
	struct keyboard k = { 0 };
	uint64_t until_ns = since_ns + (uint64_t)timeout_s * SECOND_NS, next_ns;
	struct progress_line line = { 0 };
	struct msg_progress last = { 0 };
	int given[MSG_FDS];
	size_t n_given = 0;
	bool shown, told = false;

	if (sock < 0)
		return false;
	if (may_stop)
		keyboard_begin(&k);
	for (size_t i = 0; i < n_fds; i++)
		if (fds[i] >= 0)
			given[n_given++] = fds[i];
	got = msg_send(sock, 1, &asked, given, n_given);
	while (got >= 0) {
		/* The seconds are updated even without a report. */
		next_ns = clock_mono().ns + SECOND_NS;
		got = keyboard_wait(&k, sock, told && next_ns < until_ns ? next_ns : until_ns);
		if (got == -EAGAIN && told && next_ns < until_ns) {
			got = 0;
		} else {
			if (got >= 0)
				got = msg_recv(sock, ROLE_SUPERVISOR, ROLE_CLI, ret);
			if (got != 1 || ret->body.type != MSG_PROGRESS)
				break;
			last = ret->body.progress;
			told = true;
		}
		progress_show(&line, c, &last, clock_mono().ns - since_ns);
	}
	keyboard_end(&k);
	shown = progress_clear(&line, c);
	if (got == -EINTR && interrupted)
		*ret_status = fail_stopped(c, question, since_ns, shown);
	else if (got == -EAGAIN || got == -EWOULDBLOCK)
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_SILENT, timeout_s);
	else if (got == -ECONNRESET || got == -EPIPE)
		*ret_status = fail_ended(c, timeout_s);
	else if (got < 0)
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_LOST, strerror(-got));
	else if (got == 0)
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_CLOSED);
	close(sock);
	return got > 0;
}

static bool request(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		    bool may_stop, struct box_answer *ret, int *ret_status)
{
	struct msg m = { 0 };
	bool ok;

	memset(ret, 0, sizeof(*ret));
	if (!exchange(c, question, fds, n_fds, timeout_s, may_stop, &m, ret_status))
		return false;
	ok = read_answer(c, &m, ret, ret_status);
	msg_close_fds(&m);
	return ok;
}

bool box_request(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		 struct box_answer *ret, int *ret_status)
{
	return request(c, question, fds, n_fds, timeout_s, false, ret, ret_status);
}

bool box_request_long(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		      struct box_answer *ret, int *ret_status)
{
	return request(c, question, fds, n_fds, timeout_s, true, ret, ret_status);
}

bool box_request_file(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		      struct box_answer *ret, int *ret_fd, int *ret_status)
{
	struct msg m = { 0 };
	bool ok = true;

	memset(ret, 0, sizeof(*ret));
	*ret_fd = -1;
	if (!exchange(c, question, fds, n_fds, timeout_s, false, &m, ret_status))
		return false;
	if (m.body.answer.status == ANSWER_YES && m.n_fds > 0)
		*ret_fd = msg_take_fd(&m, 0);
	else
		ok = read_answer(c, &m, ret, ret_status);
	msg_close_fds(&m);
	return ok;
}

bool box_absent(const struct cli *c)
{
	int fd = strlen(c->socket) < SOCKET_PATH ? try_connect_to(c->socket, 0) : -ENAMETOOLONG;

	if (fd >= 0)
		close(fd);
	return fd == -ENOENT || fd == -ECONNREFUSED;
}

bool box_ask(struct cli *c, const struct msg_body *question, struct box_answer *ret, int *ret_status)
{
	return box_request(c, question, NULL, 0, BOX_WAIT_S, ret, ret_status);
}

bool box_ask_silently(const struct cli *c, const struct msg_body *question, unsigned timeout_s, struct box_answer *ret)
{
	struct cli silent;
	bool answered;
	int status;

	if (!cli_silence(c, &silent))
		return false;
	answered = box_request(&silent, question, NULL, 0, timeout_s, ret, &status);
	fclose(silent.out);
	return answered;
}

bool box_status(struct cli *c, struct box_answer *ret, int *ret_status)
{
	return box_ask(c, &(struct msg_body){ .type = MSG_STATUS }, ret, ret_status);
}

int box_tell(struct cli *c, const struct msg_body *question, box_print *print)
{
	struct box_answer answer;
	int status;

	if (!box_ask(c, question, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status) && print != NULL)
		status = print(c, answer.json, status);
	box_answer_free(&answer);
	return status;
}

bool box_show(struct cli *c, unsigned long long number, struct box_answer *ret, int *ret_status)
{
	const struct msg_body question = { MSG_SHOW, .show = { .number = number } };

	return box_ask(c, &question, ret, ret_status);
}

void box_answer_free(struct box_answer *a)
{
	json_decref(a->json);
	a->json = NULL;
}

bool box_answer_done(struct cli *c, const struct box_answer *a, int *ret_status)
{
	const json_t *error = json_object_get(a->json, "error");
	char *said;

	*ret_status = a->status;
	if (c->json) {
		json_line(c->out, json_incref(a->json));
		return true;
	}
	if (json_is_object(error)) /* a sentence in both languages */
		error = json_object_get(error, lang_name(c->lang));
	if (!json_is_string(error))
		return false;
	/* A plain text of a role may be that of an errno. */
	said = c->lang == LANG_JA ? errno_japanese(json_string_value(error)) : NULL;
	*ret_status = cli_fail_text(c, (enum cli_status)a->status, said != NULL ? said : json_string_value(error));
	free(said);
	return a->status != CLI_YES;
}

bool box_journal_done(struct cli *c, const struct box_answer *a, int *ret_status)
{
	const char *error = json_string_value(json_object_get(a->json, "error"));
	char *said;

	if (c->json || error == NULL)
		return box_answer_done(c, a, ret_status);
	said = lost_text(c->lang, error);
	*ret_status = cli_fail_text(c, (enum cli_status)a->status, said != NULL ? said : error);
	free(said);
	return true;
}

int box_order_words(struct cli *c, const char *reason, const char *by, const char **ret_reason, char *ret_person)
{
	if (reason == NULL || by == NULL || text_is_blank(reason, HOLD_REASON) || text_is_blank(by, HOLD_PERSON))
		return cli_fail(c, CLI_INVALID, M_HOLD_WORDS);
	if (!text_is_plain(reason, HOLD_REASON) || !text_is_plain(by, HOLD_PERSON - 1))
		return cli_fail(c, CLI_INVALID, M_HOLD_LONG, HOLD_REASON, HOLD_PERSON - 1);
	*ret_reason = reason;
	snprintf(ret_person, HOLD_PERSON, "%s", by);
	return CLI_YES;
}
