/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No alarm when all is well. For each stored capture, the test makes the records that a box would
 * make under the policy that `learn` proposes for it; no alarm may ring. The capture is repeated:
 * once an hour for two weeks, so that each host is known, and then for a day at its own pace, at
 * least once a minute. A table has the exceptions, with the alarm that rings and the reason. These
 * must ring, which shows that silence means something.
 *
 * The records are the inspector's own (the linker redirects inspector_new to the test), the
 * beginning of each session, and what the kernel would have dropped. SEKISHO_ALL=1: all captures;
 * otherwise those of the table and a part that SEED chooses.
 *
 * LINK: $(REPLAY_PARTS) appliance/journal/attack.c appliance/journal/attack_sign.c
 * LINK: appliance/journal/attack_file.c appliance/journal/names.c policy/ir/meaning.c
 * LIBS: libconfig jansson hogweed nettle libndpi libpcap libcrypto libseccomp zlib
 */
#include "policy/ir/seal.h"
#include "tests/unit/cmocka.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/journal/attack.h"
#include "appliance/wire/settings.h"
#include "dpi/inspect/inspect.h"
#include "mgmt/cli/learn/learn.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/replay/run.h"
#include "mgmt/cli/replay/tracker.h"

#define CAPTURES "../shared/pcaps"
#define MOST 1000u
#define PART 12u /* one of so many captures is tried, without SEKISHO_ALL */
#define RECORDS 400000u
#define FRAMES 400000u
#define DAY 86400ull
#define HOUR 3600ull
#define SECOND 1000000000ull
#define PAUSE (60u * SECOND)
#define BEGINS 1800000000ull

/* Captures in which traffic goes on that the proposed policy does not allow. */
static const struct loud {
	const char *name;
	enum attack_cause cause;
} loud[] = {
	{ "IEC61850/Sample_File_MMS_and_GOOSE.pcap",
	  /* four connections that nobody answers, again and again: there is no proposal for them */
	  ATTACK_TRYING },
	{ "enip/tests/traces/enip_cip_example.pcap",
	  /* I/O data whose connection was opened before the capture: there is no proposal */
	  ATTACK_TRYING },
	{ "hart-ip/testing/traces/hart-ip.pcap",
	  /* the ends of 43 sessions with web servers that began before the capture: there is no
	   * proposal */
	  ATTACK_SCAN },
	{ "CL5000EIP-Control_Protocol_Change_Attempt.pcap",
	  /* closes a CIP connection that was opened before the capture: no row allows it */
	  ATTACK_CONTROL },
	{ "Traces/dnp3/dnp3.pcap",
	  /* sessions that were made to test signatures, with bytes that are no DNP3 frames: there
	   * is no proposal */
	  ATTACK_TRYING },
	{ "Quickdraw-Snort/dnp3_test_data_part1.pcap",
	  /* the same sessions */
	  ATTACK_TRYING },
	{ "icsnpp-bacnet/testing/traces/bacnet_example.pcap",
	  /* guesses the password of ReinitializeDevice at many devices, with wrong lengths */
	  ATTACK_SCAN },
};
#define LOUD (sizeof(loud) / sizeof(loud[0]))

static char *captures[MOST];
static size_t n_captures;
static struct attacks a;

/* The records of the present capture. */
static struct event recorded[RECORDS];
static uint64_t frame_ns[FRAMES];
static uint32_t n_recorded, n_frames;

static void keep(struct event e)
{
	assert_true(n_recorded < RECORDS);
	/* In a capture all permits observe, because it is in the past. Here they are counted as if
	 * they enforced. */
	if (e.verdict == EV_OBSERVE && e.reason != R_POOL_FULL)
		e.verdict = EV_DENY;
	recorded[n_recorded++] = e;
}

static void hear_event(void *ctx, const struct event *e)
{
	(void)ctx;
	keep(*e);
}

struct inspector *__real_inspector_new(const struct inspector_limits *l);
struct inspector *__wrap_inspector_new(const struct inspector_limits *l);
struct inspector *__wrap_inspector_new(const struct inspector_limits *l)
{
	struct inspector_limits limits = *l;

	limits.outside.event = hear_event;
	return __real_inspector_new(&limits);
}

/* What the kernel would report about a session: that it began, or each packet that the policy
 * drops. */
static void of_session(const struct session *s)
{
	struct event e = event_new(s->refused == R_NONE ? EVENT_PASSED : EVENT_DROP, frame_ns[s->first_frame - 1]);

	/* There is no box between these hosts. */
	if (s->same_zone || addr_cmp(&s->client, &s->server) == 0)
		return;
	e.code = s->refused == R_NONE ? PASSED_BEGAN : 0;
	e.verdict = s->refused == R_NONE ? EV_ALLOW : EV_DENY;
	e.reason = (uint16_t)s->refused;
	e.client = s->client;
	e.server = s->server;
	e.client_port = s->client_port;
	e.server_port = s->server_port;
	e.l4proto = s->l4proto;
	e.count = s->refused == R_NONE ? 1 : s->packets;
	keep(e);
}

static int by_time(const void *x, const void *y)
{
	const struct event *p = x, *q = y;

	return (p->wall_ns > q->wall_ns) - (p->wall_ns < q->wall_ns);
}

/* Moves the times so that the first record is at the start. Some captures were joined from pieces
 * that are years apart, so a longer pause between two records is made one minute. */
static void in_seconds(void)
{
	uint64_t before = n_recorded > 0 ? recorded[0].wall_ns : 0, ns = 0;

	for (uint32_t i = 0; i < n_recorded; i++) {
		uint64_t more = recorded[i].wall_ns - before;

		before = recorded[i].wall_ns;
		ns += more < PAUSE ? more : PAUSE;
		recorded[i].wall_ns = ns;
	}
}

/* False: the capture cannot be read, or nothing is proposed. */
static bool learn(struct cli *c, const char *name, const char *policy)
{
	struct err e = { 0 };
	struct capture *capture = capture_open(fopen(name, "rb"), name, LANG_EN, &e);
	struct capture_frame f;
	struct study *s = study_new(NULL, &e);
	bool nothing = true;
	char *text = NULL, *at;
	size_t n;
	FILE *to;

	c->out = open_memstream(&text, &n);
	while (capture != NULL && capture_next(capture, &f, &e) == CAPTURE_FRAME)
		study_frame(s, &f);
	if (capture != NULL)
		assert_true(propose(c, study_finish(s), &(struct said){ 0 }, name, &nothing));
	capture_close(capture);
	study_free(s);
	fclose(c->out);
	c->out = c->err;
	/* The proposal observes; here it enforces. */
	while ((at = strstr(text, " mode = \"observe\";")) != NULL)
		memset(at, ' ', 18);
	to = fopen(policy, "wb");
	assert_non_null(to);
	fputs(text, to);
	fclose(to);
	free(text);
	return !nothing;
}

static void record(struct ir *ir, const char *name)
{
	struct err e = { 0 };
	struct capture *capture = capture_open(fopen(name, "rb"), name, LANG_EN, &e);
	struct capture_frame f;
	struct replay r = { 0 };

	n_recorded = n_frames = 0;
	assert_int_equal(replay_open(&r, ir, true, &e), 0);
	while (capture_next(capture, &f, &e) == CAPTURE_FRAME) {
		assert_true(n_frames < FRAMES);
		frame_ns[n_frames++] = f.wall_ns;
		replay_frame(&r, &f);
	}
	replay_finish(&r);
	for (uint32_t i = 0; i < tracker_count(r.tracker); i++)
		of_session(tracker_at(r.tracker, i));
	replay_close(&r);
	capture_close(capture);
	qsort(recorded, n_recorded, sizeof(recorded[0]), by_time);
	in_seconds();
}

static void once(const struct names *names, uint64_t at)
{
	for (uint32_t i = 0; i < n_recorded; i++) {
		struct named n;

		names_of_event(names, &recorded[i], &n);
		attacks_note(&a, &recorded[i], &n, at + recorded[i].wall_ns / SECOND);
	}
}

static uint64_t again_and_again(const struct names *names, uint64_t from, uint64_t to, uint64_t every)
{
	uint64_t span = n_recorded > 0 ? recorded[n_recorded - 1].wall_ns / SECOND + 1 : 0;

	if (span < every)
		span = every;
	for (; from < to; from += span) {
		once(names, from);
		attacks_tick(&a, from);
	}
	return from;
}

static size_t days_of(struct ir *ir, const char *name)
{
	struct names names = { 0 };
	struct event_generation which;
	struct attack_rule rule;
	struct err e = { 0 };
	uint8_t *sealed;
	size_t n_sealed;
	uint64_t now;

	record(ir, name);
	assert_int_equal(ir_seal(ir, &sealed, &n_sealed, &e), 0);
	assert_int_equal(
		names_add(&names,
			  &(struct names_source){ 1, sealed, n_sealed, bytes_of(NULL, 0), NULL, 0, bytes_of(NULL, 0) },
			  &e),
		0);
	free(sealed);
	assert_true(names_attack_rule(&names, &rule, &which));
	for (uint32_t i = 0; i < n_recorded; i++)
		recorded[i].generation = which;
	memset(&a, 0, sizeof(a));
	a.seed = 7;
	a.rule = rule;
	a.settled = true;
	now = again_and_again(&names, BEGINS, BEGINS + a.rule.learn_days * DAY, HOUR);
	again_and_again(&names, now, now + DAY, 60);
	names_forget(&names);
	return a.n;
}

static const struct loud *is_loud(const char *name)
{
	const struct loud *l = loud;

	while (l < loud + LOUD && strstr(name, l->name) == NULL)
		l++;
	return l < loud + LOUD ? l : NULL;
}

/* Whether exactly the expected alarm rang. */
static bool as_expected(const char *name, size_t rang)
{
	const struct loud *l = is_loud(name);
	bool good = (rang > 0) == (l != NULL);

	for (size_t i = 0; i < rang; i++)
		good = good && a.alarms[i].cause == l->cause;
	for (size_t i = 0; i < rang && !good; i++)
		print_message("%s: %s, %s -> %s, %u\n", name, attack_word(a.alarms[i].cause), a.alarms[i].from,
			      a.alarms[i].to, (unsigned)a.alarms[i].count);
	if (!good && rang == 0)
		print_message("%s: rang nothing\n", name);
	return good;
}

static int found(const char *path, const struct stat *st, int kind, struct FTW *w)
{
	(void)st;
	(void)w;
	if (kind == FTW_F && strstr(path, ".pcap") != NULL && n_captures < MOST)
		captures[n_captures++] = strdup(path);
	return 0;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static unsigned seed(void)
{
	const char *text = getenv("SEED");
	unsigned n = text != NULL ? (unsigned)strtoul(text, NULL, 10) : (unsigned)time(NULL);

	print_message("SEED=%u\n", n);
	return n;
}

static void a_day_of_held_captures(void **state)
{
	char policy[] = "/tmp/sekisho-quiet-XXXXXX";
	struct cli c = { .lang = LANG_EN, .err = fopen("/dev/null", "w") };
	size_t wrong = 0, judged = 0, records = 0, louder = 0;
	int fd = mkstemp(policy), status;
	bool all = getenv("SEKISHO_ALL") != NULL;
	struct source s;

	(void)state;
	assert_true(fd >= 0 && c.err != NULL);
	close(fd);
	nftw(CAPTURES, found, 16, FTW_PHYS);
	qsort(captures, n_captures, sizeof(captures[0]), by_name);
	srand(seed());
	for (size_t i = 0; i < n_captures; i++) {
		bool taken = (unsigned)rand() % PART == 0 || all || is_loud(captures[i]) != NULL;

		if (!taken || !learn(&c, captures[i], policy))
			continue;
		assert_true(source_open(&c, policy, SOURCE_LOWER, &s, &status));
		wrong += !as_expected(captures[i], days_of(s.c.ir, captures[i]));
		louder += is_loud(captures[i]) != NULL;
		judged++;
		records += n_recorded;
		source_close(&s);
	}
	unlink(policy);
	fclose(c.err);
	for (size_t i = 0; i < n_captures; i++)
		free(captures[i]);
	if (n_captures == 0) {
		print_message(CAPTURES " is not there: no capture was looked through for alarms\n");
		skip();
	}
	print_message("%zu of %zu captures had a policy proposed, %zu records each round\n", judged, n_captures,
		      records);
	assert_int_equal(wrong, 0);
	assert_int_equal(louder, LOUD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_of_held_captures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
