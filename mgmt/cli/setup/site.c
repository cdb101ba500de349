/* SPDX-License-Identifier: Apache-2.0 */
/* Where the box stands: the language, the site and its names, how it lies in the network. */
#include <stdio.h>
#include <string.h>

#include "mgmt/cli/setup/steps.h"

enum step_result step_language(struct setup *s, size_t k)
{
	char line[SETUP_LINE], both[200];
	enum said said;
	enum step_result r;

	(void)k;
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

	(void)k;
	if (r != STEP_GO)
		return r;
	if (!step_name_good(line)) {
		step_tell(s, M_SETUP_NAME_BAD, SETUP_NAME_MOST);
		return STEP_STAY;
	}
	snprintf(s->site, sizeof(s->site), "%.63s", line);
	return STEP_GO;
}

enum step_result step_label(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum step_result r = step_ask(s, M_SETUP_LABEL, s->label, line);

	(void)k;
	if (r == STEP_GO)
		snprintf(s->label, sizeof(s->label), "%s", line);
	return r;
}

enum step_result step_mode(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum step_result r = step_ask_plain(s, M_SETUP_MODE, s->between ? "2" : "1", line);

	(void)k;
	if (r != STEP_GO)
		return r;
	if (strcmp(line, "1") != 0 && strcmp(line, "2") != 0) {
		step_tell(s, M_SETUP_CHOOSE, 2);
		return STEP_STAY;
	}
	s->between = line[0] == '2';
	return STEP_GO;
}
