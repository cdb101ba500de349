/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.def: every row is complete in both languages, its braces are closed, its places are ones
 * that readers fill in, and a word leads back to its row.
 * LINK: appliance/wire/event_words.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "appliance/wire/event_words.h"

static const char *const langs[] = { "en", "ja" };

static void sentence_is_sound(const char *s)
{
	static const char places[] =
		" time from to client what reason limit conduit file line generation under process gap "
		"count object before after by lane verdict records interface reads seconds bytes_c2s bytes_s2c "
		"person web_client tls_version tls_cipher tls_sni tls_weak tls_offered conduit_label "
		"unsure attack attack_step attack_end number rung hosts destinations version conditions more ";
	int depth = 0;

	assert_non_null(s);
	for (; *s != '\0'; s++) {
		depth += (*s == '[') - (*s == ']');
		assert_in_range(depth, 0, 2);
		if (*s == '{') {
			size_t n = strcspn(s, "}");
			char name[32] = " ";

			assert_in_range(n, 2, 20);
			memcpy(name + 1, s + 1, n - 1);
			name[n] = ' ';
			assert_non_null(strstr(places, name));
		}
	}
	assert_int_equal(depth, 0);
}

static void every_kind_is_complete(void **state)
{
	(void)state;
	for (unsigned k = EVENT_NONE + 1; k < EVENT_KIND_COUNT; k++) {
		const char *word = event_kind_word(k);

		assert_int_equal(event_kind_by_word(word), k);
		for (size_t l = 0; l < 2; l++) {
			assert_true(event_kind_text(word, langs[l])[0] != '\0');
			for (unsigned c = 1;
			     event_code_word(k, c) != NULL && strcmp(event_code_word(k, c), "unknown") != 0; c++) {
				assert_true(strcmp(event_code_text(word, event_code_word(k, c), langs[l]), "") != 0);
				sentence_is_sound(event_box_sentence(word, event_code_word(k, c), langs[l]));
			}
		}
	}
	assert_int_equal(event_kind_by_word("frob"), EVENT_NONE);
	assert_string_equal(event_kind_text("frob", "ja"), "frob");
}

static void traffic_has_sentences(void **state)
{
	(void)state;
	for (unsigned v = 0; v < EVENT_VERDICT_COUNT; v++)
		for (size_t l = 0; l < 2; l++)
			for (int answer = 0; answer < 2; answer++)
				sentence_is_sound(event_traffic_sentence(event_verdict_word(v), answer, langs[l]));
	assert_null(event_traffic_sentence("frob", false, "en"));
}

static void gravity_follows_the_code(void **state)
{
	(void)state;
	assert_int_equal(event_severity(EVENT_DRIFT, DRIFT_FLUSHED), EVENT_SERIOUS);
	assert_int_equal(event_severity(EVENT_DRIFT, DRIFT_CLOCK), EVENT_WARNING);
	assert_int_equal(event_severity(EVENT_LOST, LOST_MISSING), EVENT_SERIOUS);
	assert_int_equal(event_severity(EVENT_LOST, LOST_UNSENT), EVENT_WARNING);
	assert_int_equal(event_severity(EVENT_ROLE, ROLE_STARTED), EVENT_NOTICE);
	assert_int_equal(event_severity_by_word("serious"), EVENT_SERIOUS);
	assert_int_equal(event_severity_by_word("frob"), EVENT_SEVERITY_COUNT);
	assert_string_equal(event_code_word(EVENT_DRIFT, 200), "unknown");
	assert_null(event_code_word(EVENT_DROP, 3));
	assert_int_equal(event_severity(EVENT_MACHINE, MACHINE_FELL_BACK), EVENT_SERIOUS);
	assert_int_equal(event_code_by_word(EVENT_MACHINE, "update_refused"), MACHINE_UPDATE_REFUSED);
	assert_int_equal(event_code_by_word(EVENT_MACHINE, "flushed"), MACHINE_NOTHING);
	assert_int_equal(event_code_by_word(EVENT_DROP, "flushed"), 0);
}

static bool says(enum role r, enum event_kind kind, unsigned code, const char *text)
{
	struct event e = { .kind = (uint8_t)kind, .code = (uint8_t)code };

	snprintf(e.text[EVENT_BY], EVENT_TEXT, "%s", text);
	return event_said_by(r, &e);
}

static void roles_say_their_own(void **state)
{
	(void)state;
	assert_true(says(ROLE_DPI, EVENT_PDU, 0, ""));
	assert_false(says(ROLE_DPI, EVENT_POLICY, POLICY_CONFIRMED, ""));
	/* a worker says what it dropped, but not what only the kernel knows */
	for (unsigned r = 0; r < REASON_COUNT; r++) {
		struct event e = { .kind = EVENT_DROP, .reason = (uint16_t)r };

		assert_int_equal(event_said_by(ROLE_DPI, &e), r < R_NO_CONDUIT || r > R_SELF_OUT);
		assert_true(event_said_by(ROLE_TAP, &e));
	}
	assert_false(says(ROLE_DPI, EVENT_DRIFT, DRIFT_FLUSHED, ""));
	assert_true(says(ROLE_SUPERVISOR, EVENT_POLICY, POLICY_CONFIRMED, "suzuki"));
	assert_true(says(ROLE_ENFORCE, EVENT_DRIFT, DRIFT_CHANGED, "nft"));
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		assert_true(says((enum role)r, EVENT_LOST, LOST_UNSENT, ""));
	assert_false(says(ROLE_COUNT, EVENT_LOST, LOST_UNSENT, ""));
}

/* Over its event socket a role may send any bytes: the record still names this role. */
static void nobody_speaks_for_another(void **state)
{
	static const enum role others[] = { ROLE_GATE, ROLE_DPI, ROLE_TAP, ROLE_MGMT };

	(void)state;
	for (unsigned code = LOST_UNSENT + 1; code < 256; code++)
		for (unsigned r = 0; r < ROLE_COUNT; r++)
			assert_false(says((enum role)r, EVENT_LOST, code, ""));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		for (unsigned kind = EVENT_NONE + 1; kind < EVENT_KIND_COUNT; kind++)
			assert_false(says(others[i], (enum event_kind)kind, 0, "suzuki"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_complete),    cmocka_unit_test(traffic_has_sentences),
		cmocka_unit_test(gravity_follows_the_code),  cmocka_unit_test(roles_say_their_own),
		cmocka_unit_test(nobody_speaks_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
