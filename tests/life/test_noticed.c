/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a box notices by itself: packets without inspection, a tap that hears nothing, a clock that
 * is not trusted or loses its source, rules that others changed, a UPS. And doors of two persons,
 * which are a matter of time too.
 *
 * LINK: $(LIFE_SRC)
 * LIBS: jansson nettle libconfig libseccomp
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/slot.h"
#include "tests/life/disk.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/sound.h"

static const struct msg_body status = { .type = MSG_STATUS };

static void begins_with(enum known_policy p)
{
	LIFE(life_boot() == LIFE_GOES_ON && life_apply(p, 0, 0)->status == ANSWER_YES);
	LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON);
}

static bool says(const struct answer *a, const char *what)
{
	return a != NULL && a->told && a->whole != NULL && strstr(a->whole, what) != NULL;
}

static bool status_says(const char *what)
{
	const struct answer *a = life_asks(AS_ROOT, &status, -1);
	char key[40];

	if (says(a, what))
		return true;
	(void)snprintf(key, sizeof(key), "%.*s", (int)strcspn(what, ":"), what);
	printf("not in the status: %s, but: %.300s\n", what, says(a, key) ? strstr(a->whole, key) : "nothing");
	return false;
}

/* How often this was recorded of the machine. */
static unsigned noticed(uint8_t code)
{
	return recorded(EVENT_MACHINE, code);
}

/* ---- packets without inspection -------------------------------------------------------------- */

/* The kernel's counters of packets that nobody answered, and of those that the tap should hear. */
static void counters(uint64_t closed, uint64_t open, uint64_t logged)
{
	const struct msg_body m = { MSG_UNANSWERED,
				    .unanswered = { .closed = closed, .open = open, .logged = logged } };

	LIFE(process_says(ROLE_ENFORCE, &m, -1) && life_settle() == LIFE_GOES_ON);
}

static void uninspected(void)
{
	const struct lane closed = { LANE_COMMANDS, CRIT_SUPPORT, FAIL_CLOSED, FAIL_CLOSED };
	const uint16_t queue = lane_queue(lane_number(closed), 0);

	begins_with(KNOWN_INSPECTED);
	/* What was counted before this daemon began is no news. */
	counters(500, 70, 0);
	machine.queue = (struct queue_state){ .queue = queue };
	LIFE(life_pass(5 * SECOND) == LIFE_GOES_ON && status_says("\"uninspected\":{\"now\":false"));
	machine.queue.dropped_full = 9;
	LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_UNINSPECTED) == 1);
	LIFE(status_says("\"queue_full\":9,\"socket_full\":0,\"no_worker\":0,\"conduits_all\":1,\"conduits\":[{"
			 "\"conduit\":\"c\""));
	/* Uninspected packets are one alarm, however often they come, and through the deaths of
	 * roles and an apply. */
	machine.queue.dropped_user = 2;
	LIFE(life_pass(30 * SECOND) == LIFE_GOES_ON && process_die(ROLE_ENFORCE) && process_die(ROLE_GATE));
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && status_says("\"queue_full\":9,\"socket_full\":2"));
	LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_YES && status_says("\"conduits\":[]"));
	machine.queue.dropped_full = 12;
	LIFE(life_pass(58 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_INSPECTED) == 0);
	LIFE(status_says("\"dropped\":14,\"passed\":0"));
	LIFE(life_pass(6 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_INSPECTED) == 1);
	LIFE(noticed(MACHINE_UNINSPECTED) == 1 && status_says("\"uninspected\":{\"now\":false"));
	/* A queue that was made anew counts from 0. */
	machine.queue.dropped_full = 1;
	machine.queue.dropped_user = 0;
	LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_UNINSPECTED) == 2);
	LIFE(status_says("\"queue_full\":1,"));
	/* A successor of control goes on with the alarm, counts what its predecessor was not told,
	 * and ends the alarm. */
	LIFE(process_die(ROLE_CONTROL) && life_pass(3 * SECOND) == LIFE_GOES_ON);
	LIFE(status_says("\"uninspected\":{\"now\":true") && status_says("\"queue_full\":1,"));
	machine.queue.dropped_full = 4;
	LIFE(process_die(ROLE_CONTROL) && life_pass(3 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_UNINSPECTED) == 2);
	LIFE(status_says("\"queue_full\":4,"));
	LIFE(process_die(ROLE_CONTROL) && life_pass(64 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_INSPECTED) == 2);
	LIFE(process_die(ROLE_CONTROL) && life_pass(3 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_UNINSPECTED) == 2);
	LIFE(status_says("\"uninspected\":{\"now\":false") && noticed(MACHINE_INSPECTED) == 2);
	machine.queue.dropped_full = 5;
	LIFE(process_die(ROLE_CONTROL) && life_pass(3 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_UNINSPECTED) == 3);
	LIFE(status_says("\"queue_full\":1,"));
	/* A successor of the daemon begins anew. */
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON);
	counters(900, 70, 0);
	LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON);
}

/* A gate decides in the place of a worker for a moment, and then for longer. */
static void away(void)
{
	const struct lane closed = { LANE_COMMANDS, CRIT_SUPPORT, FAIL_CLOSED, FAIL_CLOSED };
	const uint32_t lane = lane_number(closed);

	begins_with(KNOWN_INSPECTED);
	LIFE(gate_decided(lane, 3) && life_pass(20 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_UNINSPECTED) == 0);
	for (unsigned i = 0; i < 5; i++)
		LIFE(gate_decided(lane, 1) && life_pass(SECOND) == LIFE_GOES_ON);
	LIFE(noticed(MACHINE_UNINSPECTED) == 1 && status_says("\"no_worker\":8"));
	LIFE(life_pass(62 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_INSPECTED) == 1);
}

/* ---- a tap that hears nothing ---------------------------------------------------------------- */

/* The kernel logs ten packets a second for so long; `heard`: and the tap gets them. */
static void refusals(unsigned seconds, bool heard)
{
	static uint64_t logged = 1000;

	for (unsigned i = 0; i < seconds; i++) {
		counters(0, 0, logged += 10);
		if (heard && process_lives(ROLE_TAP))
			LIFE(process_says(ROLE_TAP, &(struct msg_body){ .type = MSG_HEARD }, -1));
		LIFE(life_pass(SECOND) == LIFE_GOES_ON);
	}
}

static void unheard(void)
{
	unsigned took_over;

	begins_with(KNOWN_PLAIN);
	refusals(20, true);
	LIFE(noticed(MACHINE_TAP_DEAF) == 0);
	/* Not too early, and once. */
	refusals(9, false);
	LIFE(noticed(MACHINE_TAP_DEAF) == 0);
	refusals(6, false);
	LIFE(noticed(MACHINE_TAP_DEAF) == 1 && status_says("\"unheard\":{\"now\":true"));
	LIFE(process_die(ROLE_CONTROL) && life_pass(3 * SECOND) == LIFE_GOES_ON);
	LIFE(noticed(MACHINE_TAP_DEAF) == 1 && status_says("\"unheard\":{\"now\":true"));
	LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_YES && life_rollback(0)->status == ANSWER_YES);
	/* Without packets nobody knows whether the tap would hear of them. */
	LIFE(life_pass(120 * SECOND) == LIFE_GOES_ON && status_says("\"unheard\":{\"now\":true"));
	refusals(2, true);
	LIFE(noticed(MACHINE_TAP_HEARS) == 1 && noticed(MACHINE_TAP_DEAF) == 1);
	LIFE(status_says("\"unheard\":{\"now\":false,\"since\":null,\"last\":null,\"packets\":0}"));
	/* No packets: no alarm. */
	LIFE(life_pass(120 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_TAP_DEAF) == 1);
	/* A tap that stands still is replaced, and that is an event of a role. */
	LIFE(process_freeze(ROLE_TAP));
	refusals(20, true);
	LIFE(recorded(EVENT_ROLE, ROLE_HUNG) == 1 && noticed(MACHINE_TAP_DEAF) == 1);
	/* A new daemon counts anew: it starts without the alarm, and records no end of it. */
	refusals(15, false);
	LIFE(noticed(MACHINE_TAP_DEAF) == 2);
	life_kill();
	took_over = recorded(EVENT_ROLE, ROLE_TOOK_OVER);
	LIFE(life_boot() == LIFE_GOES_ON && recorded(EVENT_ROLE, ROLE_TOOK_OVER) > took_over);
	refusals(1, true);
	LIFE(status_says("\"unheard\":{\"now\":false"));
	refusals(20, true);
	LIFE(noticed(MACHINE_TAP_DEAF) == 2 && noticed(MACHINE_TAP_HEARS) == 1);
}

/* ---- the state ------------------------------------------------------------------------------- */

/* Control is told the state when something has changed, and not otherwise. */
static void state_is_told(void)
{
	unsigned before;

	begins_with(KNOWN_PREPARED);
	LIFE(life_apply(KNOWN_WIDER, 600, 0)->status == ANSWER_YES && life_pass(5 * SECOND) == LIFE_GOES_ON);
	before = processes.standings;
	LIFE(life_pass(30 * SECOND) == LIFE_GOES_ON && processes.standings == before);
	machine.wall_ns += 3600 * SECOND;
	LIFE(life_pass(30 * SECOND) == LIFE_GOES_ON && processes.standings > before);
	before = processes.standings;
	LIFE(life_pass(30 * SECOND) == LIFE_GOES_ON && processes.standings == before);
	LIFE(process_die(ROLE_TAP) && life_settle() == LIFE_GOES_ON && processes.standings > before);
}

/* ---- the clock ------------------------------------------------------------------------------- */

static bool waits(const char *why)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "\"trusted\":false,\"waits\":\"%s\"", why);
	return status_says(text);
}

static void clock_waits(void)
{
	begins_with(KNOWN_TIMED);
	LIFE(status_says("\"trusted\":true"));
	/* The machine comes up in the past: the clock waits, until it has a source or a person
	 * confirms it. */
	machine.wall_ns -= 3 * 86400 * SECOND;
	machine.sync = CLOCK_SYNC_NO;
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON && waits("earlier") && noticed(MACHINE_CLOCK_WAITS) == 1);
	LIFE(status_says("\"waiting\":[\"e\""));
	machine.wall_ns += 4 * 86400 * SECOND;
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && waits("source"));
	machine.sync = CLOCK_SYNC_YES;
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && status_says("\"trusted\":true"));
	LIFE(noticed(MACHINE_CLOCK_TRUSTED) == 1 && noticed(MACHINE_CLOCK_WAITS) == 1);
	/* A restart of the daemon changes nothing, whatever the source says. */
	machine.sync = CLOCK_SYNC_NO;
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON && status_says("\"trusted\":true"));
	/* Of a whole restart, a person may say that the clock is right. */
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON && waits("source"));
	LIFE(says(life_asks(AS_ROOT, &(struct msg_body){ .type = MSG_CTL_CLOCK }, -1), "\"waited\":true"));
	LIFE(status_says("\"trusted\":true") && noticed(MACHINE_CLOCK_CONFIRMED) == 1);
	LIFE(life_pass(61 * SECOND) == LIFE_GOES_ON && sound_at_rest());
}

/* What needs a trusted clock is looked at as soon as the clock is trusted, also after a start. */
static void looked_at_when_trusted(void)
{
	begins_with(KNOWN_PLAIN);
	machine.wall_ns += 6 * 365 * 86400ull * SECOND; /* the review of its conduit is overdue */
	LIFE(life_pass(61 * SECOND) == LIFE_GOES_ON && recorded(EVENT_POLICY, POLICY_REVIEW_OVERDUE) == 1);
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON && life_pass(3 * SECOND) == LIFE_GOES_ON);
	LIFE(recorded(EVENT_POLICY, POLICY_REVIEW_OVERDUE) == 2);
}

/* Without sources, the battery's clock is compared. */
static void clock_battery_differs(void)
{
	begins_with(KNOWN_PLAIN);
	machine.sync = CLOCK_SYNC_NO;
	machine.battery_s = machine.wall_ns / SECOND - 2 * 86400;
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON && waits("battery") && noticed(MACHINE_CLOCK_WAITS) == 0);
	machine.battery_s = machine.wall_ns / SECOND;
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && status_says("\"trusted\":true"));
}

/* The machine starts with this policy, and its clock follows no source. */
static void starts_without_source(enum known_policy p)
{
	begins_with(p);
	machine.sync = CLOCK_SYNC_NO;
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON);
}

/* What was decided about the clock outlives each process: it is recorded once, and a person's word
 * stays although the disk has no room for it, until the machine starts again. */
static void clock_is_kept(void)
{
	begins_with(KNOWN_TIMED);
	machine.wall_ns -= 3 * 86400 * SECOND;
	machine.sync = CLOCK_SYNC_NO;
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON && waits("earlier") && noticed(MACHINE_CLOCK_WAITS) == 1);
	LIFE(process_die(ROLE_ENFORCE) && life_pass(3 * SECOND) == LIFE_GOES_ON && waits("earlier"));
	LIFE(noticed(MACHINE_CLOCK_WAITS) == 1);
	machine.no_room_for = "/state/.clock";
	LIFE(says(life_asks(AS_ROOT, &(struct msg_body){ .type = MSG_CTL_CLOCK }, -1), "\"saved\":false"));
	LIFE(status_says("\"trusted\":true"));
	LIFE(process_die(ROLE_ENFORCE) && life_pass(3 * SECOND) == LIFE_GOES_ON && status_says("\"trusted\":true"));
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON && status_says("\"trusted\":true"));
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON && waits("earlier"));
	/* As soon as there is room, the disk has it. */
	LIFE(says(life_asks(AS_ROOT, &(struct msg_body){ .type = MSG_CTL_CLOCK }, -1), "\"saved\":false"));
	machine.no_room_for = NULL;
	LIFE(life_pass(6 * SECOND) == LIFE_GOES_ON);
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON && waits("source") && noticed(MACHINE_CLOCK_CONFIRMED) == 2);
}

/* An order about the clock that finds no enforce is carried out by the next one. */
static void clock_order_waits(void)
{
	const struct answer *a;

	starts_without_source(KNOWN_TIMED);
	LIFE(process_freeze(ROLE_ENFORCE));
	a = life_asks(AS_ROOT, &(struct msg_body){ .type = MSG_CTL_CLOCK }, -1);
	LIFE(a != NULL && !a->told && life_pass(5 * SECOND) == LIFE_GOES_ON && says(a, "\"waited\":true"));
	LIFE(status_says("\"trusted\":true") && noticed(MACHINE_CLOCK_CONFIRMED) == 1);
}

/* A policy on trial without time sources does not make the clock trusted, because the one before it
 * names some, and may come back; the confirmed one does. */
static void clock_in_a_trial(void)
{
	const struct answer *a;

	starts_without_source(KNOWN_TIMED);
	LIFE(waits("source"));
	a = life_apply(KNOWN_ENDING, 60, 0);
	LIFE(a->status == ANSWER_YES && says(a, "\"waits\":\"source\""));
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && waits("source"));
	LIFE(process_die(ROLE_ENFORCE) && life_pass(3 * SECOND) == LIFE_GOES_ON && waits("source"));
	LIFE(life_confirm(0)->status == ANSWER_YES && life_pass(3 * SECOND) == LIFE_GOES_ON);
	LIFE(status_says("\"trusted\":true"));
}

/* ... not either if enforce starts only with the policy on trial. */
static void clock_in_a_trial_at_a_start(void)
{
	const struct answer *a;

	starts_without_source(KNOWN_TIMED);
	processes.absent = ROLE_ENFORCE;
	LIFE(process_die(ROLE_ENFORCE) && life_settle() == LIFE_GOES_ON);
	a = life_apply(KNOWN_ENDING, 60, 0);
	LIFE(!a->told);
	processes.absent = ROLE_COUNT;
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && a->told && a->status == ANSWER_YES);
	LIFE(waits("source") && says(a, "\"waits\":\"source\""));
	LIFE(life_rollback(0)->status == ANSWER_YES && life_pass(3 * SECOND) == LIFE_GOES_ON && waits("source"));
}

/* A policy that did not stay leaves nothing of its time sources, at whatever step it failed. */
static void clock_of_an_undone_policy(void)
{
	begins_with(KNOWN_ENDING);
	machine.sync = CLOCK_SYNC_NO;
	machine.battery_s = machine.wall_ns / SECOND - 2 * 86400;
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON && waits("battery"));
	for (uint64_t n = 1; n < 200; n++) {
		const struct answer *a;

		machine.fails_at = machine.calls + n;
		a = life_apply(KNOWN_TIMED, 0, 0);
		LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && a->told);
		if (machine.calls < machine.fails_at)
			return; /* no step was left to fail */
		if (a->status == ANSWER_YES)
			LIFE(life_rollback(0)->status == ANSWER_YES && life_pass(2 * SECOND) == LIFE_GOES_ON);
		LIFE(waits("battery"));
	}
	LIFE(false);
}

/* The record of the latest moment in this folder of the box, read or written. */
static void moment_of(const char *folder, bool write, char text[512])
{
	char path[128];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s/clock", life.folder, folder);
	f = fopen(path, write ? "w" : "r");
	LIFE(f != NULL);
	n = write ? fwrite(text, 1, strlen(text), f) : fread(text, 1, 511, f);
	text[n] = '\0';
	LIFE(n > 0 && fclose(f) == 0);
}

/* Former releases wrote the note in the run folder once, and the record on the disk every hour: the
 * later one counts. */
static void clock_of_a_former_release(void)
{
	char note[512];

	begins_with(KNOWN_TIMED);
	moment_of("run", false, note);
	LIFE(life_pass(2 * 3600 * SECOND) == LIFE_GOES_ON && life_stop() == LIFE_ENDED);
	moment_of("run", true, note);
	LIFE(life_boot() == LIFE_GOES_ON && life_pass(10 * SECOND) == LIFE_GOES_ON);
	LIFE(status_says("\"trusted\":true"));
	machine.wall_ns -= 7000 * SECOND;
	machine.sync = CLOCK_SYNC_NO;
	life_off(true);
	LIFE(life_boot() == LIFE_GOES_ON && waits("earlier"));
}

/* The clock of a box without a policy is judged by the first policy's sources. */
static void clock_of_a_first_policy(void)
{
	machine.sync = CLOCK_SYNC_NO;
	LIFE(life_boot() == LIFE_GOES_ON && life_pass(2 * SECOND) == LIFE_GOES_ON);
	LIFE(status_says("\"trusted\":true"));
	LIFE(says(life_apply(KNOWN_TIMED, 0, APPLY_DRY_RUN), "\"waits\":\"source\""));
	LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON && status_says("\"trusted\":true"));
	LIFE(says(life_apply(KNOWN_TIMED, 0, 0), "\"waits\":\"source\"") && waits("source"));
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && waits("source"));
}

/* Without a record of the clock, it is not trusted before the time of the policy in force, also
 * if that came into force while nobody trusted the clock. */
static void clock_before_the_policy(void)
{
	machine.sync = CLOCK_SYNC_NO;
	LIFE(life_boot() == LIFE_GOES_ON && life_apply(KNOWN_TIMED, 0, 0)->status == ANSWER_YES);
	LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON && waits("source"));
	machine.wall_ns -= 3 * 86400 * SECOND;
	machine.sync = CLOCK_SYNC_YES;
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && waits("earlier"));
	LIFE(process_die(ROLE_ENFORCE) && life_pass(3 * SECOND) == LIFE_GOES_ON && waits("earlier"));
	machine.wall_ns += 3 * 86400 * SECOND;
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && status_says("\"trusted\":true"));
}

/* Since when the clock has been in this state, as the status says. */
static void source_since(bool follows, char ret[40])
{
	const struct answer *a = life_asks(AS_ROOT, &status, -1);
	const char *key = follows ? "\"synchronised\":true,\"since\":\"" : "\"synchronised\":false,\"since\":\"", *at;

	LIFE(status_says(key));
	at = strstr(a->whole, key);
	LIFE(at != NULL && sscanf(at + strlen(key), "%39[^\"]", ret) == 1);
}

/* The same, after the daemon has had time to look. */
static bool source_is(bool follows, char ret[40])
{
	machine.sync = follows ? CLOCK_SYNC_YES : CLOCK_SYNC_NO;
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON);
	source_since(follows, ret);
	return true;
}

/*
 * A source that is lost and comes back is recorded once each, after it has stayed so for a minute,
 * and not when it changes back before. The status says since when.
 */
static void clock_source(void)
{
	char begun[40], when[40], now[40];

	begins_with(KNOWN_TIMED);
	LIFE(source_is(true, begun) && life_pass(100 * SECOND) == LIFE_GOES_ON);
	LIFE(status_says("\"error_us\":310"));
	/* A time daemon that restarts. */
	for (unsigned i = 0; i < 3; i++) {
		LIFE(source_is(false, now) && strcmp(now, begun) > 0);
		LIFE(source_is(true, now) && strcmp(now, begun) == 0);
	}
	LIFE(life_pass(600 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_SOURCE_LOST) == 0);
	LIFE(source_is(false, when) && strcmp(when, begun) > 0);
	LIFE(life_pass(50 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_SOURCE_LOST) == 0);
	LIFE(life_pass(10 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_SOURCE_LOST) == 1);
	LIFE(life_pass(600 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_SOURCE_LOST) == 1);
	LIFE(source_is(false, now) && strcmp(now, when) == 0 && status_says("\"trusted\":true") &&
	     status_says("\"error_us\":null"));
	/* A daemon that starts meanwhile knows it, and does not record it again. */
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON && life_pass(600 * SECOND) == LIFE_GOES_ON);
	LIFE(source_is(false, now) && strcmp(now, when) == 0);
	LIFE(noticed(MACHINE_SOURCE_LOST) == 1 && noticed(MACHINE_SOURCE_BACK) == 0);
	/* One that starts after the return records the return. */
	life_kill();
	machine.sync = CLOCK_SYNC_YES;
	LIFE(life_boot() == LIFE_GOES_ON && source_is(true, now) && strcmp(now, when) > 0);
	LIFE(life_pass(50 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_SOURCE_BACK) == 0);
	LIFE(life_pass(600 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_SOURCE_BACK) == 1);
	LIFE(noticed(MACHINE_SOURCE_LOST) == 1);
}

/* ---- doors ----------------------------------------------------------------------------------- */

/* The name of the request that `status` shows; "1-0" = none. */
static void request_shown(char *out, size_t size)
{
	const struct answer *a = life_asks(AS_ROOT, &(struct msg_body){ .type = MSG_STATUS }, -1);
	const char *at = a != NULL && a->whole != NULL ? strstr(a->whole, "\"request\":\"") : NULL;

	(void)snprintf(out, size, "%.*s", at != NULL ? (int)strcspn(at + 11, "\"") : 3, at != NULL ? at + 11 : "1-0");
}

static int of_door(enum change_order order, const char *door, uint32_t for_s, const char *comment)
{
	struct msg_body m = {
		MSG_CHANGE,
		.change = { .order = (uint8_t)order, .secret = { 1 }, .confirm_s = for_s, .comment = comment }
	};
	const struct answer *a;

	(void)snprintf((char *)m.change.object, sizeof(m.change.object), "%s", door);
	if (order == CHANGE_OPEN && for_s == 0)
		request_shown((char *)m.change.request, sizeof(m.change.request));
	a = life_asks(OVER_WEB, &m, -1);
	(void)life_pass(SECOND);
	return a != NULL && a->told ? a->status : -1;
}

#define SUPERVISOR(name)                                                                                               \
	"{\"name\": \"" name "\", \"two_persons\": false, \"approvers\": [], \"roles\": [\"supervisor\"], "            \
	"\"openers\": [{\"name\": \"ume\", \"roles\": [\"supervisor\"]}, {\"name\": \"take\", \"roles\": "             \
	"[\"supervisor\"]}]}"
#define ALONE(name) "{\"name\": \"" name "\", \"roles\": [\"supervisor\"], \"openers\": []}"

static void doors(void)
{
	static const char ume[] = SUPERVISOR("ume"), take[] = SUPERVISOR("take"), alone[] = ALONE("take");

	begins_with(KNOWN_TIMED);
	processes.who = ume;
	LIFE(of_door(CHANGE_OPEN, "two", 0, "") == ANSWER_CANNOT);
	LIFE(of_door(CHANGE_OPEN, "two", 300, "") == ANSWER_YES && machine.gate_open == 0);
	LIFE(recorded(EVENT_POLICY, POLICY_DOOR_ASKED) == 1 && status_says("\"asked\":{\"request\":\"1-"));
	/* the same person */
	LIFE(of_door(CHANGE_OPEN, "two", 0, "") == ANSWER_CANNOT && machine.gate_open == 0);
	/* The account of whoever asked was disabled meanwhile: the request is gone, and
	 * stays gone. */
	processes.who = alone;
	LIFE(of_door(CHANGE_OPEN, "two", 0, "") == ANSWER_CANNOT && machine.gate_open == 0);
	LIFE(recorded(EVENT_POLICY, POLICY_DOOR_VOID_ACCOUNT) == 1 && !status_says("\"asked\":{"));
	processes.who = take;
	LIFE(of_door(CHANGE_OPEN, "two", 0, "") == ANSWER_CANNOT && machine.gate_open == 0);
	/* The policy no longer has the door. */
	processes.who = ume;
	LIFE(of_door(CHANGE_OPEN, "two", 300, "") == ANSWER_YES && status_says("\"asked\":{"));
	LIFE(life_apply(KNOWN_PLAIN, 0, 0)->status == ANSWER_YES && life_pass(2 * SECOND) == LIFE_GOES_ON);
	LIFE(recorded(EVENT_POLICY, POLICY_DOOR_VOID_POLICY) == 1);
	LIFE(life_rollback(0)->status == ANSWER_YES && life_pass(2 * SECOND) == LIFE_GOES_ON);
	processes.who = take;
	LIFE(of_door(CHANGE_OPEN, "two", 0, "") == ANSWER_CANNOT && machine.gate_open == 0);
	processes.who = ume;
	LIFE(of_door(CHANGE_OPEN, "two", 300, "") == ANSWER_YES);
	processes.who = take;
	LIFE(of_door(CHANGE_OPEN, "two", 0, "") == ANSWER_YES && machine.gate_open != 0);
	LIFE(recorded(EVENT_POLICY, POLICY_DOOR_OPENED) == 1);
	LIFE(of_door(CHANGE_SHUT, "two", 0, "") == ANSWER_YES && machine.gate_open == 0);
	LIFE(of_door(CHANGE_SHUT, "two", 0, "") == ANSWER_CANNOT);
	/* A request that nobody agrees to is over after its time. */
	LIFE(of_door(CHANGE_OPEN, "two", 300, "") == ANSWER_YES && life_pass(3600 * SECOND) == LIFE_GOES_ON);
	processes.who = ume;
	LIFE(of_door(CHANGE_OPEN, "two", 0, "") == ANSWER_CANNOT && machine.gate_open == 0);
	/* A list that cannot be taken: the order is not said to be done, and the next one
	 * goes on. */
	processes.doors_too_long = true;
	LIFE(of_door(CHANGE_OPEN, "two", 300, "") == -1);
	processes.doors_too_long = false;
	LIFE(life_pass(10 * SECOND) == LIFE_GOES_ON && !status_says("\"asked\":{"));
	/* Enforce hangs: its successor carries the order out. */
	LIFE(of_door(CHANGE_OPEN, "two", 300, "") == ANSWER_YES);
	processes.who = take;
	LIFE(of_door(CHANGE_OPEN, "two", 0, "") == ANSWER_YES && machine.gate_open != 0);
	LIFE(process_freeze(ROLE_ENFORCE) && of_door(CHANGE_SHUT, "two", 0, "") == -1);
	LIFE(life_pass(6 * SECOND) == LIFE_GOES_ON && machine.gate_open == 0);
	LIFE(recorded(EVENT_POLICY, POLICY_DOOR_SHUT) == 2);
	processes.who = ume;
	/* Break-glass: with a reason, and another person reviews it. */
	LIFE(of_door(CHANGE_OPEN, "glass", 60, "") == ANSWER_CANNOT);
	LIFE(of_door(CHANGE_OPEN, "glass", 60, "a fire") == ANSWER_YES && machine.gate_open != 0);
	/* The opened door is shut by itself at its time, also by the next daemon, and this is
	 * recorded. */
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON &&
	     status_says("\"door\":\"glass\",\"label\":\"\",\"organisation\":\"\",\"open\":true"));
	LIFE(life_pass(70 * SECOND) == LIFE_GOES_ON && recorded(EVENT_POLICY, POLICY_DOOR_ENDED) == 1);
	LIFE(status_says("\"unreviewed\":true"));
	LIFE(of_door(CHANGE_REVIEW_DOOR, "glass", 0, "") == ANSWER_CANNOT);
	processes.who = take;
	LIFE(of_door(CHANGE_REVIEW_DOOR, "glass", 0, "") == ANSWER_YES);
	LIFE(of_door(CHANGE_REVIEW_DOOR, "glass", 0, "") == ANSWER_CANNOT);
	LIFE(of_door(CHANGE_OPEN, "nowhere", 60, "") == ANSWER_CANNOT);
}

/* ---- what roles report ----------------------------------------------------------------------- */

/* Whatever enforce says of changes by others is passed on, and what it counts is kept for the next
 * enforce. */
static void reports(void)
{
	struct msg_body m = { MSG_DRIFT, .drift = { .text = "rule 7" } };
	int fd = memfd_sealed("life", "uses", 4), cuts = memfd_sealed("life", "cuts", 4);
	unsigned died;

	begins_with(KNOWN_INSPECTED);
	for (unsigned i = 0; i < DRIFT_COUNT; i++) {
		m.drift.what = (uint8_t)i;
		LIFE(process_says(ROLE_ENFORCE, &m, -1) && life_settle() == LIFE_GOES_ON);
	}
	LIFE(process_says(ROLE_ENFORCE, &(struct msg_body){ MSG_USED, .used = { .at_once = 1 } }, fd));
	LIFE(process_says(ROLE_ENFORCE, &(struct msg_body){ .type = MSG_CUTS }, cuts));
	LIFE(life_settle() == LIFE_GOES_ON && processes.cuts == 1);
	life_off(false);
	LIFE(life_boot() == LIFE_GOES_ON && processes.used == 4);
	/* A gate names the worker that hangs: only its own, and that one is ended. */
	LIFE(recorded(EVENT_ROLE, ROLE_HUNG) == 0);
	m = (struct msg_body){ MSG_HUNG, .hung = { .worker = 0, .pid = 1 } };
	LIFE(process_says(ROLE_GATE, &m, -1) && life_settle() == LIFE_GOES_ON && recorded(EVENT_ROLE, ROLE_HUNG) == 0);
	m.hung.pid = (uint32_t)process_pid(ROLE_DPI);
	LIFE(process_says(ROLE_GATE, &m, -1) && life_settle() == LIFE_GOES_ON && recorded(EVENT_ROLE, ROLE_HUNG) == 1);
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && process_lives(ROLE_DPI) && sound_at_rest());
	/* What none of a role's messages is ends it. */
	LIFE(process_says(ROLE_TAP, &(struct msg_body){ MSG_MGMT_STATUS, .mgmt_status = { .token = TOKEN_ANEW } }, -1));
	LIFE(life_settle() == LIFE_GOES_ON && recorded(EVENT_ROLE, ROLE_DIED) >= 2);
	LIFE(process_says(ROLE_MGMT, &(struct msg_body){ MSG_MGMT_STATUS, .mgmt_status = { .token = TOKEN_ANEW } },
			  -1));
	LIFE(life_settle() == LIFE_GOES_ON && noticed(MACHINE_TOKEN_ANEW) == 1);
	/* The web side gives orders to control. An order to the supervisor itself ends it. */
	died = recorded(EVENT_ROLE, ROLE_DIED);
	LIFE(process_says(ROLE_MGMT,
			  &(struct msg_body){ MSG_CHANGE, .change = { .order = CHANGE_CONFIRM, .comment = "" } }, -1));
	LIFE(life_settle() == LIFE_GOES_ON && recorded(EVENT_ROLE, ROLE_DIED) == died + 1);
	/* Nor does it get a question to control as if it were an answer. */
	LIFE(process_says_under(ROLE_MGMT, relayed_id(SLOT_MGMT, 1), &(struct msg_body){ .type = MSG_STATUS }, -1));
	LIFE(life_settle() == LIFE_GOES_ON && recorded(EVENT_ROLE, ROLE_DIED) == died + 2);
	close(fd);
	close(cuts);
}

/* ---- the UPS --------------------------------------------------------------------------------- */

static void ups_is(const char *word, int charge)
{
	char path[120], text[300];
	unsigned long long now = machine.mono_ns / SECOND;
	int fd, n;

	(void)snprintf(path, sizeof(path), "%s/run-ups", life.folder);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/run-ups/state", life.folder);
	n = snprintf(text, sizeof(text),
		     "at %llu\nof hall@10.79.0.7:3493\nstatus %s\nsince %llu\ncharge %d\nruntime -\ncounted yes\n", now,
		     word, now, charge);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	LIFE(fd >= 0 && write(fd, text, (size_t)n) == n && close(fd) == 0);
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON);
}

static bool turns_off(void)
{
	char path[120];

	(void)snprintf(path, sizeof(path), "%s/run/power-off", life.folder);
	return access(path, F_OK) == 0;
}

static void ups(void)
{
	begins_with(KNOWN_TIMED);
	ups_is("OL", 100);
	LIFE(status_says("\"state\":\"mains\"") && noticed(MACHINE_UPS_BATTERY) == 0);
	ups_is("OB", 60);
	LIFE(noticed(MACHINE_UPS_BATTERY) == 1 && !turns_off() && status_says("\"charge\":60"));
	ups_is("OB LB", 10);
	LIFE(noticed(MACHINE_UPS_LOW) == 1 && !turns_off());
	LIFE(life_pass(16 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_UPS_POWER_OFF) == 1 && turns_off());
	ups_is("OL", 11);
	LIFE(noticed(MACHINE_UPS_MAINS) == 1 && !turns_off());
	/* Nobody says anything any more. */
	LIFE(life_pass(200 * SECOND) == LIFE_GOES_ON && noticed(MACHINE_UPS_AWAY) == 1 &&
	     status_says("\"state\":\"away\""));
	ups_is("OL", 12);
	LIFE(noticed(MACHINE_UPS_ANSWERS) == 1);
}

#define LIVES(each)                                                                                                    \
	each(uninspected) each(away) each(unheard) each(state_is_told) each(clock_waits) each(clock_battery_differs)   \
		each(looked_at_when_trusted) each(clock_is_kept) each(clock_order_waits) each(clock_in_a_trial)        \
			each(clock_in_a_trial_at_a_start) each(clock_of_an_undone_policy)                              \
				each(clock_of_a_former_release) each(clock_of_a_first_policy)                          \
					each(clock_before_the_policy) each(clock_source) each(doors) each(reports)     \
						each(ups)
LIVES(A_LIFE)

int main(void)
{
	const struct CMUnitTest tests[] = { LIVES(A_TEST) };

	policies_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
