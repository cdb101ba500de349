/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role accounts, the only owner of the accounts' folder. It is asked by the supervisor alone;
 * questions of the web side carry what strangers typed. It decides, but never waits for a hash or
 * for the check of a security key's signature. Sessions and failures are in memory only: after a
 * start of the role everybody logs in again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "appliance/accounts/child.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_door.h"
#include "appliance/accounts/desk_key.h"
#include "appliance/accounts/desk_leaked.h"
#include "appliance/accounts/desk_manage.h"
#include "appliance/accounts/desk_passphrase.h"
#include "appliance/accounts/desk_restore.h"
#include "appliance/accounts/desk_user.h"
#include "appliance/accounts/hash_question.h"
#include "appliance/base/clock.h"
#include "appliance/base/err.h"
#include "appliance/base/own_path.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"

/*
 * A process that hashes passphrases, one after the other, so that the role can answer other
 * questions meanwhile. It is forked before the role enters its sandbox. It has its own user, no
 * file and no capability, and keeps nothing: it gets a phrase and a setting and returns the hash.
 * If one of both processes ends, so does the other.
 */

/* Only this program writes to the other end of the socket, so a question of another size is a
 * fault, and this process ends. The zero byte after each text is set here, whatever was sent. */
static void hash_questions(void)
{
	struct hash_question q;
	struct hash_answer a;

	for (;;) {
		ssize_t n = read(CHILD_FD, &q, sizeof(q));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(q))
			_exit(n == 0 ? 0 : 1);
		q.phrase[PASSPHRASE_MOST] = q.setting[PASSPHRASE_HASH - 1] = 0;
		memset(&a, 0, sizeof(a));
		a.id = q.id;
		a.ok = passphrase_hash(q.phrase, q.setting, a.hash);
		explicit_bzero(&q, sizeof(q));
		if (write(CHILD_FD, &a, sizeof(a)) != (ssize_t)sizeof(a))
			_exit(1);
		explicit_bzero(&a, sizeof(a));
	}
}

static void hasher_child(int unused)
{
	struct err e = { 0 };

	if (close_range(CHILD_FD + 1, ~0u, 0) < 0)
		_exit(1);
	prctl(PR_SET_NAME, "sekisho-hash");
	if (sandbox_hasher(&e) < 0) {
		fprintf(stderr, "sekishod accounts: %s\n", e.text);
		_exit(1);
	}
	hash_questions();
}

/*
 * Starts sekisho-webauthn (appliance/webauthn), which parses what browsers send of security keys.
 * The role itself parses none of it. The program is in the same folder as sekishod, like the
 * compiler.
 */

#define PROGRAM "sekisho-webauthn"

static void run_child(int program)
{
	char *const argv[] = { (char[]){ PROGRAM }, NULL }, *const no_env[] = { NULL };

	/* The child keeps only its socket. The two calls leave out the program's own descriptor,
	 * which the kernel closes at exec. */
	if ((program > CHILD_FD + 1 && close_range(CHILD_FD + 1, (unsigned)program - 1, 0) < 0) ||
	    close_range((unsigned)program + 1, ~0u, 0) < 0)
		_exit(1);
	execveat(program, "", argv, no_env, AT_EMPTY_PATH);
	_exit(127);
}

/* Like child_start. -ENOENT: the program is not installed, so the role works without keys. */
static int keys_start(struct err *e)
{
	char path[PATH_MAX];
	int low, fd, r;

	if (!own_path(PROGRAM, path))
		return err_set(e, -ENOENT, "find %s", PROGRAM);
	low = open(path, O_PATH | O_CLOEXEC);
	fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, CHILD_FD + 1);
	r = fd < 0 ? err_set(e, -errno, "open %s", path) : child_start(run_child, fd, PROGRAM, e);
	if (low >= 0)
		close(low);
	if (fd >= 0)
		close(fd);
	return r;
}

#define TURN_MS 60000
#define OWED_MS 5000 /* while a child owes an answer */
/* How long the role waits for sekisho-webauthn before it reports itself ready. The supervisor ends
 * a role that is silent for 2.5 s. */
#define KEYS_BEGIN_MS 2000

struct accounts {
	struct desk desk;
	struct event_port events;
	struct child_debt hashes, proofs;
	int keys; /* socket of sekisho-webauthn; -1 = logins without keys */
};

static struct moment moment_now(void)
{
	return (struct moment){ .ns = clock_boot_ns(), .wall_s = clock_wall_s() };
}

/* A failure to send is ignored: the loop notices when the supervisor is gone, and a supervisor that
 * does not read gives up by itself. */
static void say_answer(void *ctx, uint32_t id, enum answer_status status, json_t *j)
{
	const struct msg_body m = { MSG_ANSWER, .answer = { .status = (uint8_t)status } };
	int fd = j != NULL ? json_memfd(j) : -1;

	msg_send(ROLE_FD_CONTROL, id, &m, &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		close(fd);
}

static bool say_hash(void *ctx, const struct hash_question *q)
{
	struct accounts *a = ctx;
	bool asked = child_ask(ACCOUNTS_FD_HASHER, q, sizeof(*q));

	if (asked)
		child_asked(&a->hashes, clock_mono());
	return asked;
}

static bool say_proof(void *ctx, const struct webauthn_question *q)
{
	struct accounts *a = ctx;
	bool asked = child_ask(ACCOUNTS_FD_WEBAUTHN, q, sizeof(*q));

	if (asked)
		child_asked(&a->proofs, clock_mono());
	return asked;
}

static void say_event(void *ctx, const struct event *e)
{
	struct accounts *a = ctx;

	event_send(&a->events, e);
}

static bool on_status(void *ctx, struct msg *m)
{
	struct accounts *a = ctx;
	struct msg_body answer = { .type = MSG_ACCOUNTS_STATUS };

	desk_status(&a->desk, moment_now(), &answer.accounts_status);
	answer.accounts_status.events_lost = a->events.lost;
	return msg_send(ROLE_FD_CONTROL, m->id, &answer, NULL, 0) == 0;
}

/* on_login and so on: questions that the desk answers. What was typed does not stay in memory. */
#define QUESTION(name)                                                                                                 \
	static bool on_##name(void *ctx, struct msg *m)                                                                \
	{                                                                                                              \
		struct accounts *a = ctx;                                                                              \
                                                                                                                       \
		desk_##name(&a->desk, m->id, &m->body.name, moment_now());                                             \
		explicit_bzero(m->storage, sizeof(m->storage));                                                        \
		explicit_bzero(&m->body, sizeof(m->body));                                                             \
		return true;                                                                                           \
	}
QUESTION(login)
QUESTION(challenge)
QUESTION(key)
QUESTION(manage)
QUESTION(passphrase)
QUESTION(judge)
QUESTION(at_machine)
QUESTION(logout)
QUESTION(review)

static bool on_user(void *ctx, struct msg *m)
{
	struct accounts *a = ctx;

	if (m->body.user.order == USER_LEAKED_LOAD)
		desk_leaked_load(&a->desk, m->id, &m->body.user, m->n_fds > 0 ? m->fds[0] : -1);
	else if (user_order_carries((enum user_order)m->body.user.order))
		desk_restore(&a->desk, m->id, &m->body.user, m->n_fds > 0 ? m->fds[0] : -1);
	else
		desk_user(&a->desk, m->id, &m->body.user, moment_now());
	explicit_bzero(m->storage, sizeof(m->storage));
	return true;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_STATUS] = on_status,
	[MSG_LOGIN] = on_login,
	[MSG_JUDGE] = on_judge,
	[MSG_CHALLENGE] = on_challenge,
	[MSG_KEY] = on_key,
	[MSG_LOGOUT] = on_logout,
	[MSG_USER] = on_user,
	[MSG_REVIEW] = on_review,
	[MSG_AT_MACHINE] = on_at_machine,
	[MSG_MANAGE] = on_manage,
	[MSG_PASSPHRASE] = on_passphrase,
};

/* Reads the answers of the child that hashes. An answer without a question is an error, from either
 * child: so no child can hold up the role with more answers than there are questions. */
static int hear_hashes(struct accounts *a)
{
	struct hash_answer h;
	int r;

	while ((r = child_answer(ACCOUNTS_FD_HASHER, &h, sizeof(h))) == 1) {
		h.hash[PASSPHRASE_HASH - 1] = 0;
		if (!child_answered(&a->hashes, clock_mono()))
			return -EPROTO;
		desk_hashed(&a->desk, &h, moment_now());
	}
	explicit_bzero(&h, sizeof(h));
	return r;
}

/* The child's first message says that it is ready, and which size of question it takes. Nothing is
 * asked before. */
static int hear_proofs(struct accounts *a)
{
	struct webauthn_answer w;
	int r;

	while ((r = child_answer(a->keys, &w, sizeof(w))) == 1) {
		if (a->desk.no_keys) {
			if (w.id != 0 || w.count != sizeof(struct webauthn_question))
				return -EPROTO;
			a->desk.no_keys = false;
		} else if (child_answered(&a->proofs, clock_mono())) {
			desk_proved(&a->desk, &w, moment_now());
		} else {
			return -EPROTO;
		}
	}
	return r;
}

/* The program never became ready, by a broken or unfinished install. People with codes can still
 * log in. */
static void do_without_keys(struct accounts *a, int why)
{
	fprintf(stderr, "sekishod accounts: sekisho-webauthn does not begin (%s)\n", strerror(-why));
	close(a->keys);
	a->keys = -1;
	desk_without_keys(&a->desk);
}

/* 0, or negative errno when the child was ready and is gone now. */
static int turn_to_keys(struct accounts *a)
{
	int r = hear_proofs(a);

	if (r == 0 || !a->desk.no_keys)
		return r;
	do_without_keys(a, r);
	return 0;
}

/* Waits a moment for the keys, so that a login by key works as soon as the role is ready. A slower
 * child is heard when it is ready. */
static int await_keys(struct accounts *a)
{
	struct pollfd p = { .fd = a->keys, .events = POLLIN };

	return a->keys >= 0 && poll(&p, 1, KEYS_BEGIN_MS) > 0 ? turn_to_keys(a) : 0;
}

/* A child that seems to hang is heard once more first: the delay may have been this role's own. */
static int turn_to_children(struct accounts *a, bool hasher, bool keys)
{
	struct mono now = clock_mono();
	int r = 0;

	if (hasher || child_hangs(&a->hashes, now))
		r = hear_hashes(a);
	if (r == 0 && (keys || child_hangs(&a->proofs, now)))
		r = turn_to_keys(a);
	return r == 0 && (child_hangs(&a->hashes, now) || child_hangs(&a->proofs, now)) ? -ETIMEDOUT : r;
}

static int waits_ms(const struct accounts *a)
{
	if (desk_leaked_waits(&a->desk))
		return 0;
	return a->hashes.answers + a->proofs.answers > 0 ? OWED_MS : TURN_MS;
}

/* 0 when the supervisor is gone, negative errno when a child is gone. */
static int accounts_loop(struct accounts *a)
{
	struct pollfd p[3] = { { .fd = ROLE_FD_CONTROL, .events = POLLIN },
			       { .fd = ACCOUNTS_FD_HASHER, .events = POLLIN },
			       { .events = POLLIN } };
	int r;

	for (;;) {
		p[0].revents = p[1].revents = p[2].revents = 0;
		p[2].fd = a->keys;
		if (poll(p, 3, waits_ms(a)) < 0 && errno != EINTR)
			return -errno;
		desk_look(&a->desk, moment_now());
		desk_leaked_step(&a->desk, moment_now());
		if ((r = turn_to_children(a, p[1].revents != 0, p[2].revents != 0)) < 0)
			return r;
		if (p[0].revents != 0) {
			r = msg_serve(ROLE_FD_CONTROL, ROLE_ACCOUNTS, handlers, a);
			if (r <= 0 && r != -EAGAIN && r != -EINTR)
				return r;
		}
	}
}

/* Moves a child's socket to the number that the sandbox allows. */
static int put_at(int fd, int number, struct err *e)
{
	if (fd < 0 || fd == number)
		return fd < 0 ? fd : 0;
	if (dup3(fd, number, O_CLOEXEC) < 0)
		return err_set(e, -errno, "socket of a child");
	close(fd);
	return 0;
}

int role_accounts(void)
{
	static struct accounts a; /* static, because it is large */
	const struct desk_out out = {
		.ctx = &a, .answer = say_answer, .hash = say_hash, .prove = say_proof, .event = say_event
	};
	struct err e = { 0 };
	int r;

	signal(SIGPIPE, SIG_IGN);
	a.keys = -1;
	a.events.fd = ROLE_FD_EVENTS;
	r = put_at(child_start(hasher_child, 0, "the hasher", &e), ACCOUNTS_FD_HASHER, &e);
	if (r == 0) {
		r = put_at(keys_start(&e), ACCOUNTS_FD_WEBAUTHN, &e);
		a.keys = r < 0 ? -1 : ACCOUNTS_FD_WEBAUTHN;
		/* Without that program people with codes can still log in. */
		if (r == -ENOENT) {
			fprintf(stderr, "sekishod accounts: %s\n", e.text);
			r = 0;
		}
	}
	if (r == 0)
		r = sandbox_enter(ROLE_ACCOUNTS, &e);
	if (r == 0)
		r = desk_open(&a.desk, ACCOUNTS_FD_FOLDER, &out, moment_now(), &e);
	a.desk.no_keys = true;
	if (r == 0 && a.keys < 0)
		desk_without_keys(&a.desk);
	if (r == 0 && (r = await_keys(&a)) < 0)
		err_set(&e, r, "sekisho-webauthn");
	if (r == 0 && (r = msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0)) < 0)
		err_set(&e, r, "control channel");
	if (r == 0 && (r = accounts_loop(&a)) < 0)
		err_set(&e, r, "a child, or the control channel");
	explicit_bzero(&a, sizeof(a));
	if (r < 0)
		fprintf(stderr, "sekishod accounts: %s\n", e.text);
	return r < 0 ? 3 : 0;
}
