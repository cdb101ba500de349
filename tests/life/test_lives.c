/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lives: whatever people order, whichever process dies or hangs, whatever is refused, and
 * whenever the power goes, the box must keep what it promises. LIVES: how many (120); SEED: the
 * first seed; CUTS=1: every second step is cut short, by the power or by a kill.
 *
 * LINK: $(LIFE_SRC)
 * LIBS: jansson nettle libconfig libseccomp
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/life/disk.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/sound.h"

#define STEPS 30u
#define AT_ONCE 25u /* lives in one process, which keeps the memory of their daemons */
#define TRIAL_S 60u
/*
 * After this time without trouble nothing is under way: a compiler has 90 s, a trial 60 s, enforce
 * 30 looks.
 */
#define LONG_S 300u

/* ---- what the life knows of itself ----------------------------------------------------------- */

static struct {
	uint64_t rng;
	uint64_t confirmed; /* the last generation that is known to be confirmed */
	/* an order was interrupted that would confirm another one */
	bool may_be_another;
	/* deaths of the daemon: its last answers may not have been heard */
	unsigned deaths;
	bool prepared; /* the policy has doors and isolations */
	/* the zone ot is isolated, as far as is known; whether it is may be unknown */
	bool isolated, may_be_isolated;
	/* a door may be open until then, in seconds of the wall clock */
	uint64_t gate_open;
	/* an order to open it for so long waits unread, for a control that stands still or its
	 * successor */
	uint64_t gate_waits;
} me;

/* How often a life was cut short, in all processes together. */
static struct moments {
	uint64_t power, kills, starts;
} * cut_short;

static uint64_t draw(uint64_t below)
{
	me.rng ^= me.rng << 13;
	me.rng ^= me.rng >> 7;
	me.rng ^= me.rng << 17;
	return me.rng % below;
}

static bool one_in(uint64_t n)
{
	return draw(n) == 0;
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* Whether an order was done. If nobody got its answer, it may or may not have been done. */
static bool done(const struct answer *a)
{
	bool told = a != NULL && a->told;

	me.may_be_another |= a != NULL && !told;
	return told && a->status == ANSWER_YES;
}

static void now_confirmed(void)
{
	me.confirmed = disk_confirmed();
}

static enum known_policy some_policy(void)
{
	return me.prepared && one_in(2) ? KNOWN_PREPARED : (enum known_policy)draw(KNOWN_PREPARED);
}

static void apply(void)
{
	uint32_t confirm_s = one_in(2) ? TRIAL_S : 0;
	uint8_t flags = one_in(6) ? APPLY_DRY_RUN : one_in(3) ? APPLY_TAKE_OVER : 0;
	unsigned policy_records = recorded(EVENT_POLICY, POLICY_APPLIED);

	if (!done(life_apply(some_policy(), confirm_s, flags)) || (flags & APPLY_DRY_RUN) != 0)
		return;
	LIFE(life.end != LIFE_GOES_ON || !process_lives(ROLE_JOURNAL) ||
	     recorded(EVENT_POLICY, POLICY_APPLIED) == policy_records + 1);
	if (confirm_s != 0)
		return;
	LIFE(disk_confirmed() > me.confirmed);
	now_confirmed();
}

static void confirm(void)
{
	uint64_t trial = processes.standing.trial;

	if (!done(life_confirm(one_in(2) ? 0 : trial)))
		return;
	LIFE(trial != 0 && disk_confirmed() == trial);
	now_confirmed();
}

static void rollback(void)
{
	uint64_t trial = processes.standing.trial, to = one_in(3) ? 1 + draw(5) : 0;

	if (!done(life_rollback(to)))
		return;
	/* The end of a trial leads back to the confirmed generation. */
	LIFE(trial == 0 || to != 0 || disk_confirmed() == me.confirmed || me.may_be_another);
	now_confirmed();
}

/* Whether it was done and is on the disk. */
static bool kept(const struct answer *a)
{
	return done(a) && strstr(a->text, "\"saved\": false") == NULL && strstr(a->text, "\"saved\":false") == NULL;
}

static void isolate(void)
{
	bool cuts = me.isolated ? one_in(4) : !one_in(4);
	bool so = kept(life_isolate(cuts ? CHANGE_ISOLATE : CHANGE_REJOIN, "zone ot"));

	me.may_be_isolated = !so;
	me.isolated = so ? cuts : me.isolated;
}

/* A door is open for the stated time and no longer, and a door that was shut does not open
 * again. */
static void door(void)
{
	uint32_t for_s = 60 + (uint32_t)draw(540);
	uint64_t until = machine.wall_ns / SECOND + for_s;

	if (!one_in(3)) {
		const struct answer *a = life_door(CHANGE_OPEN, for_s);

		(void)done(a);
		if (a != NULL && !a->told && me.gate_waits < for_s)
			me.gate_waits = for_s;
		/* time passed before the order was read */
		until += machine.wall_ns / SECOND - (until - for_s);
		me.gate_open = me.gate_open > until ? me.gate_open : until;
	} else if (kept(life_door(CHANGE_SHUT, 0))) {
		me.gate_open = 0;
	}
}

static void gate_may_open(void)
{
	uint64_t until = machine.wall_ns / SECOND + me.gate_waits;

	if (me.gate_waits != 0 && me.gate_open < until)
		me.gate_open = until;
}

/* Whatever waited was read by now, or never will be. */
static void gate_was_read(void)
{
	gate_may_open();
	me.gate_waits = 0;
}

/* When the rules of the policy are loaded, the isolations are in them, and no door is open that
 * nobody opened. */
static bool prepared_sound(void)
{
	uint64_t now = machine.wall_ns / SECOND;
	bool rules = machine.forwarding && !rules_of(0), gate = machine.gate_open > now;

	gate_may_open();
	return (!rules || !me.isolated || me.may_be_isolated || machine.isolated) &&
	       (!gate || machine.gate_open <= me.gate_open);
}

static void release(void)
{
	static const char *const names[] = { "eth0", "lan2", "eth9", "none", "" };

	(void)done(life_release(names[draw(5)]));
}

/* An order of an account over the web: always on trial, and about the draft. */
static void of_account(void)
{
	static const enum change_order orders[] = { CHANGE_CHECK,    CHANGE_TRY, CHANGE_APPLY,	CHANGE_CONFIRM,
						    CHANGE_ROLLBACK, CHANGE_ASK, CHANGE_DISCARD };
	enum change_order which = orders[draw(sizeof(orders) / sizeof(orders[0]))];
	uint64_t trial = processes.standing.trial;
	const struct answer *a;

	processes.draft = some_policy();
	if (one_in(2))
		(void)life_change(CHANGE_SAVE, 0, 0);
	a = life_change(which, TRIAL_S, trial);
	if (!done(a) || (which != CHANGE_CONFIRM && which != CHANGE_ROLLBACK))
		return;
	LIFE(which != CHANGE_CONFIRM || (trial != 0 && disk_confirmed() == trial));
	now_confirmed();
}

static void ask(void)
{
	static const uint16_t questions[] = { MSG_STATUS, MSG_EFFECTIVE, MSG_VERIFY, MSG_HISTORY };
	const struct msg_body q = { .type = questions[draw(4)] };

	(void)life_asks(one_in(2) ? AS_ROOT : OVER_WEB, &q, -1);
}

/* ---- troubles -------------------------------------------------------------------------------- */

static enum role some_role(void)
{
	static const enum role roles[] = { ROLE_JOURNAL, ROLE_ENFORCE,	ROLE_TAP,  ROLE_MGMT,
					   ROLE_CONTROL, ROLE_ACCOUNTS, ROLE_GATE, ROLE_DPI };

	return roles[draw(sizeof(roles) / sizeof(roles[0]))];
}

static void mood(void)
{
	switch (draw(3)) {
	case 0:
		processes.enforce = (enum enforce_mood)draw(ENFORCE_BLIND + 1);
		break;
	case 1:
		processes.compile = (enum compile_mood)draw(COMPILE_SLEEPS + 1);
		break;
	default:
		processes.worker = (enum worker_mood)draw(WORKER_SLEEPS + 1);
	}
}

static void trouble_to_come(void)
{
	if (one_in(3))
		disk.off_at = disk.moments + 1 + draw(30);
	else if (one_in(3))
		life.killed_at = life.moments + 1 + draw(400);
	else if (one_in(2))
		machine.fails_at = machine.calls + 1 + draw(20);
	else
		machine.disk_full = !machine.disk_full;
}

/* Nothing else goes wrong: so the order is under way when it is cut short. */
static void cut_to_come(void)
{
	if (one_in(2))
		disk.off_at = disk.moments + 1 + draw(24);
	else
		life.killed_at = life.moments + 1 + draw(120);
}

static void no_trouble(void)
{
	processes.enforce = ENFORCE_OBEYS;
	processes.compile = COMPILE_WORKS;
	/* A worker that refused a table refuses it until there is another table. */
	while (processes.worker != WORKER_TAKES && process_die(ROLE_DPI))
		;
	processes.worker = WORKER_TAKES;
	disk.off_at = 0;
	life.killed_at = 0;
	machine.fails_at = 0;
	machine.disk_full = false;
}

/* ---- starts ---------------------------------------------------------------------------------- */

/* Whether the life ended in the middle of its work. */
static bool ended_in_the_middle(void)
{
	if (life.end == LIFE_POWER_LOST) {
		cut_short->power++;
		life_off(one_in(2));
		LIFE(!machine.forwarding);
	} else if (life.end == LIFE_KILLED) {
		cut_short->kills++;
		life_kill();
	} else {
		return false;
	}
	return true;
}

/*
 * What a start finds and does. A start that is interrupted or refused is tried again, as a person
 * or the service manager would do.
 */
static void boot(void)
{
	me.deaths++;
	cut_short->starts++;
	while (life_boot() != LIFE_GOES_ON) {
		me.deaths++;
		if (!ended_in_the_middle())
			no_trouble();
	}
	if (disk_confirmed() != me.confirmed) {
		LIFE(me.may_be_another);
		now_confirmed();
	}
	LIFE(processes.standing.number == 0 || processes.standing.number == me.confirmed);
	LIFE(processes.standing.trial == 0);
	me.may_be_another = false;
	gate_was_read();
}

static void start_again(void)
{
	switch (draw(3)) {
	case 0:
		(void)life_stop();
		break;
	case 1:
		life_kill();
		break;
	default:
		life_off(one_in(2));
	}
	(void)ended_in_the_middle();
	boot();
}

/* ---- a life ---------------------------------------------------------------------------------- */

/* Lets time pass: long, or short and in small steps. */
static void pass(void)
{
	bool slow = one_in(4);

	life.granule = slow ? SECOND + draw(3) * SECOND / 2 : draw(200) * 1000000;
	(void)life_pass(slow ? draw(90) * SECOND : draw(1500) * 1000000);
}

static void step(void)
{
	static void (*const orders[])(void) = { apply,	    apply,	confirm, rollback, release, ask,
						of_account, of_account, isolate, isolate,  door,    door };
	uint64_t n = draw(20), of = sizeof(orders) / sizeof(orders[0]);

	if (getenv("CUTS") != NULL && one_in(2))
		cut_to_come();
	if (n < 10)
		orders[draw(me.prepared ? of : of - 4)]();
	else if (n < 14)
		pass();
	else if (n < 15)
		(void)process_die(some_role());
	else if (n < 16)
		(void)process_freeze(some_role());
	else if (n < 17)
		mood();
	else if (n < 18)
		trouble_to_come();
	else if (n < 19)
		start_again();
	else
		machine.cards[draw(CARDS)].ridden = one_in(2);
	(void)life_settle();
}

static bool all_told(void)
{
	for (uint32_t i = 1; i <= processes.asked; i++)
		if (processes.answers[i].asked && !processes.answers[i].told)
			return false;
	return true;
}

/*
 * A box without further trouble becomes quiet within a limited time, and every order has its
 * answer.
 */
static void left_alone(void)
{
	unsigned s = 0;

	no_trouble();
	life.granule = 5 * SECOND; /* larger steps, so that this test does not take too long */
	do {
		if (life_pass(20 * SECOND) != LIFE_GOES_ON)
			return;
		s += 20;
	} while (s < LONG_S && (processes.standing.trial != 0 || !all_told() || !sound_at_rest()));
	LIFE(all_told());
	LIFE(processes.standing.trial == 0);
	LIFE(sound_at_rest());
	LIFE(me.may_be_isolated || !machine.forwarding || rules_of(0) || machine.isolated == me.isolated);
	LIFE(disk_confirmed() == me.confirmed || me.may_be_another);
	now_confirmed();
	me.may_be_another = false;
	gate_was_read();
}

static void live(uint64_t seed, bool prepared)
{
	memset(&me, 0, sizeof(me));
	me.prepared = prepared;
	me.rng = seed * 0x9e3779b97f4a7c15ull | 1;
	life.seed = seed;
	life_begin();
	boot();
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		LIFE(always_sound() && prepared_sound());
		if (ended_in_the_middle()) {
			me.may_be_another = true;
			LIFE(always_sound());
			boot();
		} else if (life.end == LIFE_ENDED)
			boot();
		if (one_in(15))
			left_alone();
	}
	left_alone();
	life_over();
}

/* ---- all ------------------------------------------------------------------------------------- */

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

/* Lives in which something once went wrong. */
static void lives_once_lost(void **state)
{
	/* The only worker refused its table at a start, and no other worker was started. */
	static const uint64_t seeds[] = { 1795801111 };

	(void)state;
	fflush(stdout);
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		pid_t pid = fork();
		int how;

		if (pid == 0) {
			(void)!freopen("/dev/null", "w", stderr);
			live(seeds[i], false);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &how, 0), pid);
		assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	}
}

static void lives(void **state)
{
	uint64_t n = number_of("LIVES", 120), first = number_of("SEED", (uint64_t)time(NULL)), failed = 0;

	(void)state;
	printf("lives from seed %llu on\n", (unsigned long long)first);
	fflush(stdout);
	for (uint64_t i = 0; i < n; i += AT_ONCE) {
		pid_t pid = fork();
		int how;

		if (pid == 0) {
			if (getenv("LOUD") == NULL)
				(void)!freopen("/dev/null", "w", stderr);
			for (uint64_t k = i; k < n && k < i + AT_ONCE; k++)
				live(first + k, true);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &how, 0), pid);
		failed += !WIFEXITED(how) || WEXITSTATUS(how) != 0;
	}
	printf("%llu starts; cut short by the power %llu times, by a kill %llu times\n",
	       (unsigned long long)cut_short->starts, (unsigned long long)cut_short->power,
	       (unsigned long long)cut_short->kills);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lives_once_lost), cmocka_unit_test(lives) };

	cut_short = mmap(NULL, sizeof(*cut_short), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (cut_short == MAP_FAILED)
		return 1;
	policies_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
