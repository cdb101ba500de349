/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/event_words.h"

#include <string.h>

struct code_row {
	const char *word;
	enum event_severity severity;
	const char *text[2], *sentence[2]; /* English, Japanese */
};

#define CODES_MOST 64u /* codes of a kind */

static const struct code_row codes[EVENT_KIND_COUNT][CODES_MOST] = {
#define CODE(kind, id, word, severity, en, ja, en_sentence, ja_sentence)                                               \
	[kind][id] = { word, severity, { en, ja }, { en_sentence, ja_sentence } },
#define ROLE_CODE(...) CODE(EVENT_ROLE, __VA_ARGS__)
#define POLICY_CODE(...) CODE(EVENT_POLICY, __VA_ARGS__)
#define DRIFT_CODE(...) CODE(EVENT_DRIFT, __VA_ARGS__)
#define LOST_CODE(...) CODE(EVENT_LOST, __VA_ARGS__)
#define MACHINE_CODE(...) CODE(EVENT_MACHINE, __VA_ARGS__)
#define ACCOUNT_CODE(...) CODE(EVENT_ACCOUNT, __VA_ARGS__)
#define ACCESS_CODE(...) CODE(EVENT_ACCESS, __VA_ARGS__)
#define PASSED_CODE(...) CODE(EVENT_PASSED, __VA_ARGS__)
#define DEVICE_CODE(...) CODE(EVENT_DEVICE, __VA_ARGS__)
#define WEAK_CODE(...) CODE(EVENT_WEAK, __VA_ARGS__)
#define SILENCE_CODE(...) CODE(EVENT_SILENCE, __VA_ARGS__)
#define ATTACK_CODE(...) CODE(EVENT_ATTACK, __VA_ARGS__)
#include "appliance/wire/event.def"
};

struct kind_row {
	const char *word;
	enum event_severity severity;
	unsigned by; /* bit set of roles */
	const char *text[2], *sentence[2];
};

#define SAID_BY(role) (1u << (role))

static const struct kind_row kinds[EVENT_KIND_COUNT] = {
#define EVENT(id, word, severity, by, en, ja, en_sentence, ja_sentence)                                                \
	[id] = { word, severity, by, { en, ja }, { en_sentence, ja_sentence } },
#include "appliance/wire/event.def"
};

struct verdict_row {
	const char *word;
	const char *text[2];
};

static const struct verdict_row verdicts[EVENT_VERDICT_COUNT] = {
#define EVENT_VERDICT(id, word, en, ja) [id] = { word, { en, ja } },
#include "appliance/wire/event.def"
};

static const char *const traffic[EVENT_VERDICT_COUNT][2][2] = {
#define EVENT_TRAFFIC(verdict, direction, en, ja) [verdict][direction] = { en, ja },
#include "appliance/wire/event.def"
};

static const char *const severities[EVENT_SEVERITY_COUNT] = {
	[EVENT_NOTICE] = "notice",
	[EVENT_WARNING] = "warning",
	[EVENT_SERIOUS] = "serious",
};

static unsigned language_column(const char *lang)
{
	return strcmp(lang, "ja") == 0;
}

static const struct code_row *code_row(unsigned kind, unsigned code)
{
	return kind < EVENT_KIND_COUNT && code < CODES_MOST && codes[kind][code].word != NULL ? &codes[kind][code]
											      : NULL;
}

static const struct code_row *code_by_word(const char *kind, const char *code)
{
	const struct code_row *rows = codes[event_kind_by_word(kind)];

	for (size_t i = 0; i < CODES_MOST; i++)
		if (rows[i].word != NULL && strcmp(rows[i].word, code) == 0)
			return &rows[i];
	return NULL;
}

const char *event_kind_word(unsigned kind)
{
	return kind < EVENT_KIND_COUNT && kinds[kind].word != NULL ? kinds[kind].word : "unknown";
}

const char *event_verdict_word(unsigned verdict)
{
	return verdict < EVENT_VERDICT_COUNT ? verdicts[verdict].word : "unknown";
}

const char *event_severity_word(enum event_severity s)
{
	return (unsigned)s < EVENT_SEVERITY_COUNT ? severities[s] : "unknown";
}

const char *event_code_word(unsigned kind, unsigned code)
{
	const struct code_row *r = code_row(kind, code);

	if (r != NULL)
		return r->word;
	/* NULL: a kind without codes */
	return code != 0 && code_row(kind, 1) != NULL ? "unknown" : NULL;
}

enum event_severity event_severity(unsigned kind, unsigned code)
{
	const struct code_row *r = code_row(kind, code);

	if (r != NULL)
		return r->severity;
	return kind < EVENT_KIND_COUNT ? kinds[kind].severity : EVENT_NOTICE;
}

static bool has_text(const struct event *e)
{
	for (unsigned i = 0; i < EVENT_TEXTS; i++)
		if (e->text[i][0] != 0)
			return true;
	return false;
}

/* Whether the only text of the record is a host name from a hello. A role that reads hostile bytes
 * may send no other text. */
static bool has_name_alone(const struct event *e)
{
	static const char of_names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	const char *name = e->text[EVENT_OBJECT];

	for (unsigned i = 0; i < EVENT_TEXTS; i++)
		if (i != EVENT_OBJECT && e->text[i][0] != '\0')
			return false;
	return (e->kind == EVENT_WEAK || e->kind == EVENT_UNDECLARED) && name[strspn(name, of_names)] == '\0';
}

/* Whether the event is one that control may send: about the draft, about what is due, about what
 * the appliance's own programs report (`sekisho record`), and about what it finds in the
 * supervisor's counts. Only the supervisor reports what is done to the box. */
static bool is_controls(const struct event *e)
{
	static const uint8_t policy[] = { POLICY_BACKED_UP,    POLICY_DRAFTED,	     POLICY_ASKED,
					  POLICY_APPROVED,     POLICY_DECLINED,	     POLICY_DISCARDED,
					  POLICY_DRAFT_LOST,   POLICY_APPROVAL_LOST, POLICY_REVIEW_OVERDUE,
					  POLICY_REVIEWS_DONE, POLICY_ENDS_SOON,     POLICY_APPROVAL_KEPT,
					  POLICY_HOURS_BEGAN,  POLICY_HOURS_ENDED,   POLICY_CONDUIT_BEGAN };

	if (e->kind == EVENT_POLICY)
		return memchr(policy, e->code, sizeof(policy)) != NULL;
	return e->kind != EVENT_MACHINE || e->code < MACHINE_CLOCK_WAITS || e->code == MACHINE_SOURCE_LOST ||
	       e->code == MACHINE_SOURCE_BACK ||
	       (e->code >= MACHINE_UNINSPECTED && e->code <= MACHINE_CERTIFICATE_GOOD);
}

bool event_said_by(enum role r, const struct event *e)
{
	if ((unsigned)r >= ROLE_COUNT || e->kind >= EVENT_KIND_COUNT || (kinds[e->kind].by & SAID_BY(r)) == 0)
		return false;
	/* Events of the journal about itself are written by the journal directly, so no role sends
	 * them. */
	if (e->kind == EVENT_LOST && e->code != LOST_UNSENT)
		return false;
	/* What no conduit allows, and what is forged, only the kernel knows; alarms believe it. */
	if (e->kind == EVENT_DROP && r == ROLE_DPI && e->reason >= R_NO_CONDUIT && e->reason <= R_SELF_OUT)
		return false;
	if (r == ROLE_CONTROL && !is_controls(e))
		return false;
	if (r == ROLE_ENFORCE && e->kind == EVENT_POLICY &&
	    (e->code < POLICY_ISOLATED || e->code > POLICY_DOOR_REVIEWED) &&
	    (e->code < POLICY_DOOR_ANEW || e->code > POLICY_ISOLATION_DROPPED))
		return false;
	if (r == ROLE_ENFORCE && e->kind == EVENT_MACHINE &&
	    (e->code < MACHINE_CLOCK_WAITS || e->code > MACHINE_CLOCK_CONFIRMED))
		return false;
	if (e->kind == EVENT_COUNTS && (r == ROLE_ENFORCE) != (e->code == COUNTS_BEGUN || e->code == COUNTS_CARRIED))
		return false;
	/* Only the journal decides what a sighting means. */
	if (e->kind == EVENT_DEVICE && e->code != DEVICE_SEEN)
		return false;
	return r == ROLE_SUPERVISOR || r == ROLE_CONTROL || r == ROLE_ENFORCE || r == ROLE_ACCOUNTS || !has_text(e) ||
	       has_name_alone(e);
}

unsigned event_kind_by_word(const char *word)
{
	for (unsigned i = EVENT_NONE + 1; i < EVENT_KIND_COUNT; i++)
		if (strcmp(kinds[i].word, word) == 0)
			return i;
	return EVENT_NONE;
}

unsigned event_verdict_by_word(const char *word)
{
	unsigned i = 0;

	while (i < EVENT_VERDICT_COUNT && strcmp(verdicts[i].word, word) != 0)
		i++;
	return i;
}

enum event_severity event_severity_by_word(const char *word)
{
	unsigned i = 0;

	while (i < EVENT_SEVERITY_COUNT && strcmp(severities[i], word) != 0)
		i++;
	return (enum event_severity)i;
}

unsigned event_code_by_word(unsigned kind, const char *word)
{
	const struct code_row *r = code_by_word(event_kind_word(kind), word);

	return r != NULL ? (unsigned)(r - codes[kind]) : 0;
}

const char *event_kind_text(const char *kind, const char *lang)
{
	unsigned k = event_kind_by_word(kind);

	return k != EVENT_NONE ? kinds[k].text[language_column(lang)] : kind;
}

const char *event_verdict_text(const char *verdict, const char *lang)
{
	unsigned v = event_verdict_by_word(verdict);

	return v < EVENT_VERDICT_COUNT ? verdicts[v].text[language_column(lang)] : verdict;
}

const char *event_code_text(const char *kind, const char *code, const char *lang)
{
	const struct code_row *r = code_by_word(kind, code);

	return r != NULL ? r->text[language_column(lang)] : code;
}

const char *event_box_sentence(const char *kind, const char *code, const char *lang)
{
	const struct code_row *r = code_by_word(kind, code);
	unsigned k = event_kind_by_word(kind);

	if (r != NULL)
		return r->sentence[language_column(lang)];
	return k != EVENT_NONE ? kinds[k].sentence[language_column(lang)] : NULL;
}

const char *event_traffic_sentence(const char *verdict, bool answer, const char *lang)
{
	unsigned v = event_verdict_by_word(verdict);

	return v < EVENT_VERDICT_COUNT ? traffic[v][answer][language_column(lang)] : NULL;
}
