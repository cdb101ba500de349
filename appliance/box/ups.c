/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/ups.h"

#include <string.h>

#include "appliance/box/said.h"

#define DAY_S 86400u

const char *const ups_words[] = { "away", "mains", "battery", "low", "forced", NULL };

/* Among words with blanks between them. */
static bool has(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)) != NULL; p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

/* NUT's words for the state of a UPS (RFC 9271, 5.1). One that measures its battery (CAL) drains it on purpose. */
static enum ups_is state_of(const char *words)
{
	if (has(words, "FSD"))
		return UPS_FORCED;
	if (has(words, "OB"))
		return has(words, "LB") && !has(words, "CAL") ? UPS_LOW : UPS_BATTERY;
	return has(words, "OL") ? UPS_MAINS : UPS_AWAY;
}

static enum ups_counted counted_of(const char *word)
{
	if (strcmp(word, "yes") == 0)
		return UPS_COUNTED;
	return strcmp(word, "no") == 0 ? UPS_NOT_COUNTED : UPS_COUNTED_UNKNOWN;
}

struct ups_said ups_read(const void *file, size_t n, const char *of, uint64_t now_s)
{
	struct ups_said away = { .is = UPS_AWAY, .charge = -1, .runtime_s = -1 }, said = away;
	struct bytes b = bytes_of(file, n);
	char whom[SAID_LINE], status[SAID_LINE], counted[SAID_LINE];
	int64_t at, since, charge, runtime;

	at = said_number(&b, "at");
	said_line(&b, "of", whom);
	said_line(&b, "status", status);
	since = said_number(&b, "since");
	charge = said_number(&b, "charge");
	runtime = said_number(&b, "runtime");
	said_line(&b, "counted", counted);
	if (b.failed || b.left > 0 || at < 0 || (uint64_t)at > now_s || now_s - (uint64_t)at > UPS_FRESH_S ||
	    strcmp(whom, of) != 0)
		return away;
	said.is = state_of(status);
	if (said.is == UPS_AWAY)
		return away;
	said.since_s = since >= 0 && since <= at ? (uint64_t)since : (uint64_t)at;
	if (charge >= 0 && charge <= 100)
		said.charge = (int)charge;
	if (runtime >= 0 && runtime <= (int64_t)DAY_S * 100)
		said.runtime_s = (int)runtime;
	said.counted = counted_of(counted);
	return said;
}

static unsigned silence(struct ups_watch *w, uint64_t now_s)
{
	if (!w->silent) {
		w->silent = true;
		w->silent_s = now_s;
	}
	if (w->told_away || now_s - w->silent_s < UPS_AWAY_S)
		return 0;
	w->told_away = true;
	return UPS_WENT_AWAY;
}

static unsigned changed(struct ups_watch *w, enum ups_is is)
{
	unsigned what = 0;

	if (is == UPS_MAINS && w->told_battery)
		what |= UPS_ON_MAINS;
	if (is > UPS_MAINS && !w->told_battery)
		what |= UPS_ON_BATTERY;
	if (is == UPS_LOW)
		what |= UPS_IS_LOW;
	if (is == UPS_FORCED)
		what |= UPS_IS_FORCED;
	w->told_battery = is > UPS_MAINS;
	if (is < UPS_LOW)
		w->done = false;
	return what;
}

unsigned ups_look(struct ups_watch *w, const struct ups_said *said, uint64_t now_s)
{
	unsigned what = 0;
	uint64_t wait;

	if (said->is == UPS_AWAY)
		return silence(w, now_s);
	if (w->told_away)
		what |= UPS_CAME_BACK;
	/* What was not heard of meanwhile has not stood meanwhile. */
	if (w->silent)
		w->since_s = now_s;
	w->silent = w->told_away = false;
	if (!w->heard || said->is != w->is) {
		what |= changed(w, said->is);
		w->stood = !w->heard;
		w->heard = true;
		w->is = said->is;
		w->since_s = now_s;
	}
	wait = w->stood ? UPS_STOOD_S : w->is == UPS_FORCED ? 0 : UPS_LOW_S;
	if (w->is >= UPS_LOW && !w->done && now_s - w->since_s >= wait) {
		w->done = true;
		what |= UPS_OFF_NOW;
	}
	return what;
}
