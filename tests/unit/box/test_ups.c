/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read from the file about the UPS (complete, torn, of another program, old, false), and
 * what follows from it over time.
 *
 * LINK: appliance/box/companions.c $(BASE_SRC) $(WIRE_SRC)
 * LINK: appliance/base/memfd.c appliance/base/utf8.c appliance/base/err.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/box/companions.h"

#define OF "ups@10.99.0.7:3493"
#define HEAD "at 1000\nof " OF "\nstatus "
#define TAIL "\nsince 900\ncharge 83\nruntime 1140.5\ncounted yes\n"

static struct ups_report read_at(const char *text, uint64_t now_s)
{
	return ups_read(text, strlen(text), OF, now_s);
}

static void whole(void **state)
{
	static const struct {
		const char *words;
		enum ups_is is;
	} all[] = {
		{ "OL", UPS_MAINS },
		{ "OL CHRG LB", UPS_MAINS },
		{ "OB", UPS_BATTERY },
		{ "OB DISCHRG", UPS_BATTERY },
		{ "LB OB", UPS_LOW },
		{ "OB DISCHRG LB", UPS_LOW },
		{ "OB LB CAL", UPS_BATTERY },
		{ "FSD OL", UPS_FORCED },
		{ "FSD OB LB", UPS_FORCED },
		{ "FSD", UPS_FORCED },
		{ "OFF", UPS_AWAY },
		{ "-", UPS_AWAY },
		{ "WAIT", UPS_AWAY },
		{ "OBX", UPS_AWAY },
		{ "XOL", UPS_AWAY },
		{ "ALARM OB", UPS_BATTERY },
		{ "", UPS_AWAY },
		{ "OB LBX", UPS_BATTERY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char text[UPS_TEXT];
		struct ups_report s;

		snprintf(text, sizeof(text), HEAD "%s" TAIL, all[i].words);
		s = read_at(text, 1010);
		assert_int_equal(s.is, all[i].is);
		assert_int_equal(s.charge, s.is == UPS_AWAY ? -1 : 83);
		assert_int_equal(s.runtime_s, s.is == UPS_AWAY ? -1 : 1140);
		assert_int_equal(s.counted, s.is == UPS_AWAY ? UPS_COUNTED_UNKNOWN : UPS_COUNTED);
		assert_int_equal(s.since_s, s.is == UPS_AWAY ? 0 : 900);
	}
	assert_int_equal(read_at(HEAD "OL" TAIL, 1000 + UPS_FRESH_S).is, UPS_MAINS);
	assert_int_equal(read_at(HEAD "OL" TAIL, 1001 + UPS_FRESH_S).is, UPS_AWAY);
	/* a file from before the last start of the machine */
	assert_int_equal(read_at(HEAD "OL" TAIL, 999).is, UPS_AWAY);
	assert_int_equal(read_at(HEAD "OL\nsince 1001\ncharge 101\nruntime -\ncounted -\n", 1000).since_s, 1000);
	assert_int_equal(read_at(HEAD "OL\nsince 1001\ncharge 101\nruntime -\ncounted -\n", 1000).charge, -1);
	assert_int_equal(read_at(HEAD "OL\nsince -\ncharge -\nruntime -\ncounted no\n", 1000).counted, UPS_NOT_COUNTED);
}

/* Every beginning of the file, and every byte changed: never more than the file says, and nothing
 * behind its end is read. */
static void torn(void **state)
{
	const char text[] = HEAD "FSD OB" TAIL;
	size_t n = sizeof(text) - 1;

	(void)state;
	assert_int_equal(ups_read(text, n, OF, 1010).is, UPS_FORCED);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ups_read(text, i, OF, 1010).is, UPS_AWAY);
	for (size_t i = 0; i < n; i++)
		for (unsigned c = 0; c < 256; c++) {
			struct ups_report s;
			char other[sizeof(text)];

			memcpy(other, text, sizeof(text));
			other[i] = (char)c;
			s = ups_read(other, n, OF, 1010);
			assert_in_range(s.charge + 1, 0, 101);
			assert_in_range(s.runtime_s + 1, 0, 8640001);
			if (c < ' ' || c > '~')
				assert_int_equal(s.is, c == (uint8_t)text[i] ? UPS_FORCED : UPS_AWAY);
		}
}

static const char *const strange[] = {
	"",
	"\n",
	HEAD "OB" TAIL "x",
	HEAD "OB" TAIL "\n",
	"at 1000\nof ups@10.99.0.8:3493\nstatus OB" TAIL,
	"at 1000\nof " OF " \nstatus OB" TAIL,
	"at 1000000000\nof " OF "\nstatus OB" TAIL,
	"at 99999999999999999999\nof " OF "\nstatus OB" TAIL,
	"at -\nof " OF "\nstatus OB" TAIL,
	"at -1\nof " OF "\nstatus OB" TAIL,
	"at 1e3\nof " OF "\nstatus OB" TAIL,
	"at  1000\nof " OF "\nstatus OB" TAIL,
	HEAD "OB\ncharge 83\nsince 900\nruntime 1\ncounted yes\n",
	HEAD "OB\nsince 900\ncharge 8 3\nruntime 1\ncounted yes\n",
	HEAD "OB\nsince 900\ncharge 83.\nruntime 1..5\ncounted yes\n",
	HEAD "OB\nsince 900\ncharge \nruntime 1\ncounted yes\n",
	HEAD "OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB OB "
	     "OB OB OB OB OB OB OB" TAIL,
};

static void no_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_int_equal(read_at(strange[i], 1010).is, UPS_AWAY);
}

/* ---- over time ------------------------------------------------------------------------------- */

static unsigned look(struct ups_watch *w, enum ups_is is, uint64_t now_s)
{
	struct ups_report s = { .is = is, .charge = -1, .runtime_s = -1 };

	return ups_look(w, &s, now_s);
}

static void an_outage(void **state)
{
	struct ups_watch w = { .heard = false };

	(void)state;
	assert_int_equal(look(&w, UPS_MAINS, 100), 0);
	assert_int_equal(look(&w, UPS_BATTERY, 110), UPS_ON_BATTERY);
	/* running on battery alone never turns the box off */
	assert_int_equal(look(&w, UPS_BATTERY, 100000), 0);
	assert_int_equal(look(&w, UPS_LOW, 100010), UPS_IS_LOW);
	assert_int_equal(look(&w, UPS_LOW, 100009 + UPS_LOW_S), 0);
	assert_int_equal(look(&w, UPS_LOW, 100010 + UPS_LOW_S), UPS_OFF_NOW);
	assert_int_equal(look(&w, UPS_LOW, 200000), 0); /* once */
	assert_int_equal(look(&w, UPS_FORCED, 200010), UPS_IS_FORCED);
	assert_int_equal(look(&w, UPS_MAINS, 200020), UPS_ON_MAINS);
	/* The next outage. */
	assert_int_equal(look(&w, UPS_LOW, 200030), UPS_ON_BATTERY | UPS_IS_LOW);
	assert_int_equal(look(&w, UPS_BATTERY, 200040), 0);
	assert_int_equal(look(&w, UPS_LOW, 200050), UPS_IS_LOW);
	assert_int_equal(look(&w, UPS_LOW, 200049 + UPS_LOW_S), 0);
	assert_int_equal(look(&w, UPS_FORCED, 200050 + UPS_LOW_S), UPS_IS_FORCED | UPS_OFF_NOW);
}

/* The UPS server still shows the forced shutdown of last time, or was never told that it is over: a
 * person has minutes to act. */
static void stood_already(void **state)
{
	struct ups_watch w = { .heard = false };

	(void)state;
	assert_int_equal(look(&w, UPS_FORCED, 50), UPS_ON_BATTERY | UPS_IS_FORCED);
	assert_int_equal(look(&w, UPS_FORCED, 49 + UPS_STOOD_S), 0);
	assert_int_equal(look(&w, UPS_FORCED, 50 + UPS_STOOD_S), UPS_OFF_NOW);
	w = (struct ups_watch){ .heard = false };
	assert_int_equal(look(&w, UPS_LOW, 50), UPS_ON_BATTERY | UPS_IS_LOW);
	/* the order came while the program was watching */
	assert_int_equal(look(&w, UPS_FORCED, 60), UPS_IS_FORCED | UPS_OFF_NOW);
}

/* Silence is recorded once, and does not turn the box off. After it the time of a low battery is
 * counted anew. */
static void silence(void **state)
{
	struct ups_watch w = { .heard = false };

	(void)state;
	assert_int_equal(look(&w, UPS_AWAY, 10), 0);
	assert_int_equal(look(&w, UPS_AWAY, 9 + UPS_AWAY_S), 0);
	assert_int_equal(look(&w, UPS_AWAY, 10 + UPS_AWAY_S), UPS_WENT_AWAY);
	assert_int_equal(look(&w, UPS_AWAY, 100000), 0);
	assert_int_equal(look(&w, UPS_MAINS, 100010), UPS_CAME_BACK);
	assert_int_equal(look(&w, UPS_AWAY, 100020), 0);
	assert_int_equal(look(&w, UPS_MAINS, 100022), 0); /* too short to be reported */
	assert_int_equal(look(&w, UPS_BATTERY, 100030), UPS_ON_BATTERY);
	assert_int_equal(look(&w, UPS_LOW, 100040), UPS_IS_LOW);
	assert_int_equal(look(&w, UPS_AWAY, 100050), 0);
	assert_int_equal(look(&w, UPS_AWAY, 200000), UPS_WENT_AWAY);
	assert_int_equal(look(&w, UPS_LOW, 200010), UPS_CAME_BACK);
	assert_int_equal(look(&w, UPS_LOW, 200009 + UPS_LOW_S), 0);
	assert_int_equal(look(&w, UPS_LOW, 200010 + UPS_LOW_S), UPS_OFF_NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),     cmocka_unit_test(torn),	      cmocka_unit_test(no_answer),
		cmocka_unit_test(an_outage), cmocka_unit_test(stood_already), cmocka_unit_test(silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
