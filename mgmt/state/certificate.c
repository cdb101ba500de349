/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/certificate.h"

#include <stdio.h>
#include <string.h>

struct word {
	const char *word;
	enum message m;
};

/* What a newer box says stands as it is. */
static const char *in_words(const struct word *list, size_t n, const char *word, enum lang l)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i].word) == 0)
			return message_format(list[i].m, l);
	return word;
}

const char *certificate_use(const json_t *certificate, enum lang l)
{
	static const struct word words[] = { { "web", M_CERTIFIED_WEB },
					     { "log", M_CERTIFIED_LOG },
					     { "update", M_CERTIFIED_UPDATE },
					     { "mail", M_CERTIFIED_MAIL },
					     { "log_own", M_CERTIFIED_LOG_OWN } };

	return in_words(words, sizeof(words) / sizeof(words[0]), js(certificate, "use"), l);
}

const char *certificate_why(const json_t *certificate, enum lang l)
{
	static const struct word words[] = { { "absent", M_CERTIFIED_ABSENT }, { "unread", M_CERTIFIED_UNREAD },
					     { "link", M_CERTIFIED_LINK },     { "closed", M_CERTIFIED_CLOSED },
					     { "folder", M_CERTIFIED_FOLDER }, { "none", M_CERTIFIED_NONE } };

	return in_words(words, sizeof(words) / sizeof(words[0]), js(certificate, "why"), l);
}

const char *certificate_state(const json_t *certificate, enum lang l, char out[CERTIFICATE_TEXT])
{
	static const struct word words[] = { { "good", M_CERTIFIED_GOOD },	  { "near", M_CERTIFIED_NEAR },
					     { "close", M_CERTIFIED_CLOSE },	  { "ended", M_CERTIFIED_ENDED },
					     { "not_yet", M_CERTIFIED_NOT_YET },  { "unknown", M_CERTIFIED_UNKNOWN },
					     { "unjudged", M_CERTIFIED_UNJUDGED } };
	const char *state = js(certificate, "state");

	if (strcmp(state, "unreadable") == 0)
		message_text(out, CERTIFICATE_TEXT, l, M_CERTIFIED_UNREADABLE, certificate_why(certificate, l));
	else
		snprintf(out, CERTIFICATE_TEXT, "%s", in_words(words, sizeof(words) / sizeof(words[0]), state, l));
	return out;
}
