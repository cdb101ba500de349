/* SPDX-License-Identifier: Apache-2.0 */
/* The basics: the language, the site and its names, and the box's place in the network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/step.h"

enum step_result step_language(struct setup *s, size_t k)
{
	char line[SETUP_LINE], both[200];
	const char *term = getenv("TERM");
	enum said said;
	enum step_result r;

	if (s->c->lang_told)
		return STEP_GO;
	/* the machine's own screen has no Japanese letters */
	if (term != NULL && strcmp(term, "linux") == 0) {
		s->c->lang = LANG_EN;
		return STEP_GO;
	}
	snprintf(both, sizeof(both), "%s\n%s", message_format(M_SETUP_LANGUAGE, LANG_JA),
		 message_format(M_SETUP_LANGUAGE, LANG_EN));
	said = setup_ask(s, both, s->c->lang == LANG_JA ? "1" : "2", line);
	r = said == SAID_BACK ? STEP_BACK : said == SAID_QUIT ? STEP_QUIT : STEP_GO;
	step_plain(line);
	if (r == STEP_GO && strcmp(line, "1") != 0 && strcmp(line, "2") != 0)
		return STEP_STAY;
	if (r == STEP_GO)
		s->c->lang = line[0] == '1' ? LANG_JA : LANG_EN;
	return r;
}

enum step_result step_site(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum step_result r = step_ask_plain(s, M_SETUP_SITE, s->site[0] != '\0' ? s->site : NULL, line);

	if (r != STEP_GO)
		return r;
	if (!step_name_good(line)) {
		step_tell(s, M_SETUP_NAME_BAD, SETUP_NAME_MOST);
		return STEP_STAY;
	}
	snprintf(s->site, sizeof(s->site), "%.63s", line);
	return STEP_GO;
}

/* A text for people; `needed`: an empty line is asked again. */
static enum step_result text(struct setup *s, enum message question, bool needed, char to[SETUP_LINE])
{
	char line[SETUP_LINE];
	enum step_result r = step_ask(s, question, to, line);

	if (r == STEP_GO && needed && line[0] == '\0')
		return STEP_STAY;
	if (r == STEP_GO)
		memcpy(to, line, SETUP_LINE);
	return r;
}

enum step_result step_label(struct setup *s, size_t k)
{
	return text(s, M_SETUP_LABEL, false, s->label);
}

enum step_result step_contact(struct setup *s, size_t k)
{
	return text(s, M_SETUP_CONTACT, false, s->contact);
}

/* Records of passed traffic show what employees did: a person answers for them, or none are
 * kept. */
enum step_result step_responsible(struct setup *s, size_t k)
{
	return text(s, M_SETUP_RESPONSIBLE, false, s->responsible);
}

enum step_result step_purpose(struct setup *s, size_t k)
{
	if (s->responsible[0] == '\0')
		return s->going_back ? STEP_BACK : STEP_GO;
	if (s->purpose[0] == '\0')
		snprintf(s->purpose, sizeof(s->purpose), "%s", message_format(M_SETUP_PURPOSE_USUAL, s->c->lang));
	return text(s, M_SETUP_PURPOSE, true, s->purpose);
}

enum step_result step_zone_label(struct setup *s, size_t k)
{
	return text(s, M_SETUP_ZONE_LABEL, false, s->data[k].label);
}

enum step_result step_owner(struct setup *s, size_t k)
{
	return text(s, M_SETUP_OWNER, true, s->data[k].owner);
}

enum step_result step_mode(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum step_result r = step_ask_plain(s, M_SETUP_MODE, s->between ? "2" : "1", line);

	if (r != STEP_GO)
		return r;
	if (strcmp(line, "1") != 0 && strcmp(line, "2") != 0) {
		step_tell(s, M_SETUP_CHOOSE, 2);
		return STEP_STAY;
	}
	s->between = line[0] == '2';
	return STEP_GO;
}

/* ---- the zone behind an interface ------------------------------------------------------------ */

enum step_result step_zone(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum step_result r = step_ask_plain(s, M_SETUP_ZONE, NULL, line);
	bool taken = false;

	if (r != STEP_GO)
		return r;
	for (size_t i = 0; i < k; i++)
		taken = taken || strcmp(s->data[i].zone, line) == 0;
	if (!step_name_good(line) || taken || strcmp(line, "self") == 0) {
		step_tell(s, taken ? M_SETUP_ZONE_TAKEN : M_SETUP_NAME_BAD, SETUP_NAME_MOST);
		return STEP_STAY;
	}
	snprintf(s->data[k].zone, sizeof(s->data[k].zone), "%.63s", line);
	return STEP_GO;
}

enum step_result step_class_of(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum step_result r = step_ask_plain(s, M_SETUP_CLASS, "3", line);
	unsigned long long n;

	if (r != STEP_GO)
		return r;
	if (!cli_number(line, 6, &n) || n == 0) {
		step_tell(s, M_SETUP_CHOOSE, 6);
		return STEP_STAY;
	}
	s->data[k].class = (unsigned)n - 1;
	s->n_data = k + 1;
	return STEP_GO;
}
