/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small supervisor for the test of the kernel path. It runs the real enforce role as a child in a
 * network namespace, and reads its commands line by line from standard input. Every answer is one
 * line of JSON.
 *
 *   kernel_main NETNS          runs the role there and reads commands:
 *     start | kill             a role process
 *     apply FLAGS POLICY       compiles POLICY (with includes and box.cfg beside it); FLAGS as in
 *                              wire/msg.h
 *     refuse POLICY            the same with every permit id equal: the role must refuse it
 *     collide                  a transaction of our own with two cells that overlap: the kernel
 *                              must refuse the second
 *     at SECONDS [DOOR=UNTIL ...]   sets the role's clock to SECONDS, and opens these doors only
 *     apart [KEEP ...: WHAT; ...]   sends the role what people have isolated, as the supervisor
 *                                   computes it from this policy
 *     judge IIF OIF SOURCE DESTINATION PROTO PORT   the permit that the rule IR has for a packet at
 *                                                   that moment, 0 = none
 *     status | effective | verify
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/clock_source.h"
#include "appliance/base/json.h"
#include "appliance/base/sha256.h"
#include "appliance/box/loan.h"
#include "appliance/enforce/sockets.h"
#include "appliance/kernel/batch.h"
#include "appliance/kernel/isolation_pairs.h"
#include "appliance/role/roles.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/msg_json.h"
#include "appliance/wire/role.h"
#include "policy/compile/compile.h"
#include "policy/ir/evaluate.h"
#include "policy/ir/identity.h"
#include "policy/ir/ir.h"
#include "policy/ir/moment.h"
#include "policy/ir/seal.h"
#include "policy/ir/sets.h"
#include "policy/render/render.h"
#include "policy/space/prove.h"

#define MEMFD_MAX (64u << 20)
#define IDS_MAX 4096

struct driver {
	pid_t child;
	int control, events;
	uint32_t next_id;
	uint8_t identities[IDS_MAX][32]; /* identities by id - 1; ids are kept over applies */
	uint32_t n_identities;
	struct compilation c;  /* the compilation of the policy that was applied last */
	uint32_t ids[IDS_MAX]; /* ids of the permits in c */
};

/* The role's clock is ahead by this; shared with the role. */
static int64_t *ahead_ns;

uint64_t __real_clock_wall_ns(void);
uint64_t __wrap_clock_wall_ns(void);

uint64_t __wrap_clock_wall_ns(void)
{
	return __real_clock_wall_ns() + (uint64_t)(ahead_ns != NULL ? __atomic_load_n(ahead_ns, __ATOMIC_RELAXED) : 0);
}

/* The clock follows a source, so conduits with an end apply. */
enum clock_sync __wrap_clock_synchronised(void);

enum clock_sync __wrap_clock_synchronised(void)
{
	return CLOCK_SYNC_YES;
}

void loan_boot_id(char out[LOAN_BOOT_ID])
{
	snprintf(out, LOAN_BOOT_ID, "start");
}

static void die(const char *what)
{
	fprintf(stderr, "kernel_main: %s: %s\n", what, strerror(errno));
	exit(70);
}

static void start(struct driver *d)
{
	int control[2], events[2];
	struct err e = { 0 };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, events) < 0)
		die("socketpair");
	d->child = fork();
	if (d->child < 0)
		die("fork");
	if (d->child == 0) {
		int fds[4] = { fcntl(control[1], F_DUPFD, 20), fcntl(events[1], F_DUPFD, 20), -1, -1 };
		int r;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		r = enforce_socket_open(false, &e);
		fds[2] = r < 0 ? -1 : fcntl(r, F_DUPFD, 20);
		r = enforce_socket_open(true, &e);
		fds[3] = r < 0 ? -1 : fcntl(r, F_DUPFD, 20);
		for (int i = 0; i < 4; i++)
			if (fds[i] < 0 || dup2(fds[i], 3 + i) < 0)
				die(e.text);
		for (int i = 7; i < 64; i++)
			close(i);
		_exit(role_enforce());
	}
	close(control[1]);
	close(events[1]);
	d->control = control[0];
	d->events = events[0];
}

static void stop(struct driver *d)
{
	if (d->child <= 0)
		return;
	kill(d->child, SIGKILL);
	waitpid(d->child, NULL, 0);
	close(d->control);
	close(d->events);
	d->child = 0;
	d->control = -1;
	json_line(stdout, json_pack("{s:s}", "event", "killed"));
}

static uint32_t permit_id(struct driver *d, const uint8_t identity[32])
{
	for (uint32_t i = 0; i < d->n_identities; i++)
		if (memcmp(d->identities[i], identity, 32) == 0)
			return i + 1;
	if (d->n_identities == IDS_MAX)
		die("too many permits");
	memcpy(d->identities[d->n_identities++], identity, 32);
	return d->n_identities;
}

static void send_apply(struct driver *d, const struct ir *ir, const uint8_t *sealed, size_t n, uint8_t flags,
		       bool spoil)
{
	size_t map = 4u * ir->n_permits;
	size_t others = 4u * IDS_MAX; /* the workers of this box never forget a table */
	uint8_t *all = malloc(n + map + others);
	struct arena *a = arena_new(16u << 20);
	const struct ir_place *places;
	const struct msg_body m = { MSG_APPLY,
				    .apply = { .flags = flags, .n_sealed = (uint32_t)n, .n_ids = (uint32_t)map } };
	struct outbuf ids;
	int fd;

	if (all == NULL)
		die("memory");
	memcpy(all, sealed, n);
	ids = outbuf_of(all + n, map + others);
	if (a == NULL || !ir_places(ir, a, &places))
		die("memory");
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		uint8_t identity[32];

		/* A permit is the same if it has the same identity at the same place. This driver
		 * keeps no id for a permit that moved. */
		sha256_pair(ir->permits[i].identity, 32, places[i].digest, 32, identity);
		d->ids[i] = permit_id(d, identity);
		out_be32(&ids, spoil ? 7 : d->ids[i]);
	}
	arena_free(a);
	for (uint32_t id = 1; id <= d->n_identities; id++)
		out_be32(&ids, id);
	fd = memfd_sealed("generation", all, n + ids.len);
	free(all);
	if (fd < 0 || msg_send(d->control, ++d->next_id, &m, &fd, 1) < 0)
		die("send the generation");
	close(fd);
}

static void apply(struct driver *d, const char *path, uint8_t flags, bool spoil)
{
	struct compilation *c = &d->c;
	struct policy_loader loader;
	const char *name;
	struct err e = { 0 };
	uint8_t *sealed = NULL;
	size_t n = 0;

	arena_free(c->arena);
	*c = (struct compilation){ .arena = arena_new(COMPILE_BUDGET) };
	if (c->arena == NULL)
		die("memory");
	diags_init(&c->diags, c->arena);
	loader_folder(path, c->arena, &loader, &name);
	if (!policy_check(c, &loader, name) || !policy_lower(c)) {
		diags_print(stderr, &c->diags, c->sources, c->n_sources, LANG_EN);
		json_line(stdout,
			  json_pack("{s:s,s:b,s:s}", "event", "applied", "done", 0, "text", "does not compile"));
	} else if (ir_seal(c->ir, &sealed, &n, &e) < 0) {
		die(e.text);
	} else {
		send_apply(d, c->ir, sealed, n, flags, spoil);
	}
	free(sealed);
}

static json_t *memfd_json(const struct msg *m, size_t which)
{
	uint8_t *p;
	size_t n;
	struct err e;
	json_t *j;

	if (m->n_fds <= which || memfd_read(m->fds[which], MEMFD_MAX, &p, &n, &e) < 0)
		return json_null();
	j = json_loadb((const char *)p, n, 0, NULL);
	free(p);
	return j != NULL ? j : json_null();
}

static bool from_role(struct driver *d)
{
	struct msg m;
	json_t *json;
	int r = msg_recv(d->control, ROLE_ENFORCE, ROLE_SUPERVISOR, &m);

	if (r <= 0) {
		int status = 0;

		waitpid(d->child, &status, 0);
		d->child = 0;
		close(d->control);
		close(d->events);
		d->control = -1;
		json_line(stdout, json_pack("{s:s,s:i,s:i}", "event", "ended", "status", status, "error", r));
		return false;
	}
	switch ((int)m.body.type) {
	case MSG_READY:
		json_line(stdout, json_pack("{s:s}", "event", "ready"));
		break;
	case MSG_APPLIED:
		json = msg_json(&m.body);
		json_object_set_new(json, "cut", memfd_json(&m, 0));
		json_object_set_new(json, "changed", memfd_json(&m, 1));
		json_line(stdout,
			  json_pack("{s:s,s:b,s:i,s:o,s:o}", "event", "applied", "done", m.body.applied.done, "line",
				    (int)m.body.applied.line, "text", json_text(m.body.applied.error), "json", json));
		break;
	case MSG_ANSWER:
		json_line(stdout, json_pack("{s:s,s:i,s:o}", "event", "answer", "status", m.body.answer.status, "json",
					    memfd_json(&m, 0)));
		break;
	case MSG_DRIFT:
		json_line(stdout, json_pack("{s:s,s:i,s:I,s:o}", "event", "drift", "what", m.body.drift.what, "gap_us",
					    (json_int_t)m.body.drift.gap_us, "text", json_text(m.body.drift.text)));
		break;
	/* sessions that ended by time: for the workers, of which there are none */
	case MSG_CUTS:
	case MSG_PAIRS: /* for gates, of which there are none */
	case MSG_DOORS: /* what changed by the clock; each situation sends its own list */
	case MSG_CLOCK: /* that it is trusted, and its record */
	case MSG_USED:	/* the record of uses, for a successor that is never started */
	/* comes each second without a question; another test checks what the supervisor does with
	 * it */
	case MSG_UNANSWERED:
		break;
	default:
		die("unexpected message");
	}
	msg_close_fds(&m);
	return true;
}

static void query(struct driver *d, enum msg_type question)
{
	if (msg_send(d->control, ++d->next_id, &(struct msg_body){ .type = question }, NULL, 0) < 0)
		die("send a query");
}

/* Sets the clock first, which the role reads by itself. Then sends the doors. */
static void at(struct driver *d, char *rest)
{
	json_t *list = json_array();
	char *word = strtok_r(NULL, " \n", &rest);
	uint64_t moment = strtoull(word != NULL ? word : "", NULL, 10);
	struct ir *ir = d->c.ir;
	int fd;

	__atomic_store_n(ahead_ns, (int64_t)(moment * 1000000000u - __real_clock_wall_ns()), __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < ir->n_doors; i++)
		ir->doors[i].open_until = 0;
	while ((word = strtok_r(NULL, " \n", &rest)) != NULL) {
		for (uint32_t i = 0; i < ir->n_doors; i++) {
			struct ir_door *door = &ir->doors[i];

			if (strcmp(door->name, word) != 0)
				continue;
			door->open_until = moment + door->at_most;
			json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:b}", "door", word, "since",
							      (json_int_t)moment, "until", (json_int_t)door->open_until,
							      "open", 1));
		}
	}
	(void)ir_at(ir, moment);
	fd = json_memfd(list);
	if (fd < 0 || msg_send(d->control, ++d->next_id, &(struct msg_body){ .type = MSG_DOORS }, &fd, 1) < 0)
		die("tell of the doors");
	close(fd);
}

/* "c0 c1: it_from_ot; : asset crane7": what is kept, and what is isolated. */
static void apart(struct driver *d, char *rest)
{
	json_t *list = json_array();
	int fd;

	for (char *one = strtok_r(NULL, ";\n", &rest); one != NULL; one = strtok_r(NULL, ";\n", &rest)) {
		json_t *keep = json_array();
		char *what = strchr(one, ':'), *name, *more = one;

		if (what == NULL)
			break;
		*what = '\0';
		for (what += 2; (name = strtok_r(NULL, " ", &more)) != NULL;)
			(void)json_array_append_new(keep, json_string(name));
		(void)json_array_append_new(list, json_pack("{s:s, s:o}", "what", what, "keep", keep));
	}
	fd = json_memfd(list);
	if (fd < 0 || msg_send(d->control, 0, &(struct msg_body){ .type = MSG_ISOLATIONS }, &fd, 1) < 0)
		die("tell of isolations");
	close(fd);
	query(d, MSG_STATUS); /* answered when the kernel has them */
}

static void judge(const struct driver *d, char *rest)
{
	const char *words[6];
	struct question q = { .now = __wrap_clock_wall_ns() / 1000000000u };
	const struct ir_cell *c;

	for (int i = 0; i < 6; i++)
		if ((words[i] = strtok_r(NULL, " \n", &rest)) == NULL)
			die("judge");
	q.iif = words[0];
	q.oif = words[1];
	if (!addr_parse(words[2], &q.source) || !addr_parse(words[3], &q.destination))
		die("judge");
	q.l4proto = (uint8_t)atoi(words[4]);
	q.port = (uint16_t)atoi(words[5]);
	c = evaluate_ir(d->c.ir, &q);
	json_line(stdout, json_pack("{s:s,s:i}", "event", "judged", "permit", c != NULL ? (int)d->ids[c->permit] : 0));
}

/* Prints the kernel's error, and the line of the policy that it was about. */
static void collide(void)
{
	struct image_element wide = { .line = 11, .data = 1 }, across = { .line = 12, .data = 2 };
	struct netlink n;
	struct batch *b = batch_new(0);
	uint32_t line = 0;
	struct err e = { 0 };
	int fd = enforce_socket_open(false, &e), r;

	if (fd < 0 || b == NULL || netlink_open(&n, fd, &e) < 0)
		die(e.text);
	/* Protocol and port are the last two fields of the key; the ranges 100-200 and 150-250
	 * overlap. */
	wide.key[16] = wide.key_end[16] = across.key[16] = across.key_end[16] = 6;
	wide.key[21] = 100;
	wide.key_end[21] = 200;
	across.key[21] = 150;
	across.key_end[21] = 250;
	batch_element_add(b, SET_RANGE4, &wide, 0);
	batch_element_add(b, SET_RANGE4, &across, 0);
	r = batch_commit(b, &n, &e, &line);
	json_line(stdout, json_pack("{s:s,s:b,s:i,s:o}", "event", "applied", "done", r == 0, "line", (int)line, "text",
				    json_text(e.text)));
	batch_free(b);
	netlink_close(&n);
	close(fd);
}

/* False at the end. */
static bool command(struct driver *d, char *line)
{
	char *rest, *word = strtok_r(line, " \n", &rest), *first, *second;

	if (word == NULL)
		return true;
	if (strcmp(word, "at") == 0)
		return at(d, rest), true;
	if (strcmp(word, "apart") == 0)
		return apart(d, rest), true;
	if (strcmp(word, "judge") == 0)
		return judge(d, rest), true;
	first = strtok_r(NULL, " \n", &rest);
	second = strtok_r(NULL, " \n", &rest);
	if (strcmp(word, "start") == 0)
		start(d);
	else if (strcmp(word, "kill") == 0)
		stop(d);
	else if (strcmp(word, "apply") == 0 && second != NULL)
		apply(d, second, (uint8_t)atoi(first), false);
	else if (strcmp(word, "refuse") == 0 && first != NULL)
		apply(d, first, 0, true);
	else if (strcmp(word, "collide") == 0)
		collide();
	else if (strcmp(word, "status") == 0)
		query(d, MSG_STATUS);
	else if (strcmp(word, "effective") == 0)
		query(d, MSG_EFFECTIVE);
	else if (strcmp(word, "verify") == 0)
		query(d, MSG_VERIFY);
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	static struct driver d = { .control = -1 };
	char path[256], line[1024];
	size_t have = 0;
	int ns;

	if (argc != 2)
		return 64;
	ahead_ns = mmap(NULL, sizeof(*ahead_ns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ahead_ns == MAP_FAILED)
		die("mmap");
	snprintf(path, sizeof(path), "/run/netns/%s", argv[1]);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(path);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .fd = d.control, .events = POLLIN } };
		char *end;

		if (poll(p, 2, -1) < 0)
			die("poll");
		if (p[1].revents != 0)
			from_role(&d);
		if (p[0].revents != 0) {
			ssize_t n = read(0, line + have, sizeof(line) - 1 - have);

			if (n <= 0)
				break;
			have += (size_t)n;
			line[have] = '\0';
			while ((end = strchr(line, '\n')) != NULL) {
				size_t used = (size_t)(end - line) + 1;
				char one[1024];

				memcpy(one, line, used);
				one[used] = '\0';
				memmove(line, line + used, have - used + 1);
				have -= used;
				if (!command(&d, one))
					die("unknown command");
			}
		}
	}
	stop(&d);
	return 0;
}
