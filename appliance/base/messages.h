/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message catalogue: every sentence a person reads, in English and Japanese, chosen by `--lang`
 * or the locale. Texts live in appliance/base/messages/<area>.def, one MSG line each, printf style;
 * the Japanese one may reorder its arguments with %1$s. A unit test holds both formats to the same
 * arguments. Adding a message is one line in one .def file.
 */
#ifndef SEKISHO_BASE_MESSAGES_H
#define SEKISHO_BASE_MESSAGES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define MSG(id, en, ja) id,
enum message {
#include "appliance/base/messages/appliance.def"
#include "appliance/base/messages/cli.def"
#include "appliance/base/messages/people.def"
#include "appliance/base/messages/policy.def"
#include "appliance/base/messages/report.def"
	MESSAGE_COUNT
};
#undef MSG

enum lang { LANG_EN, LANG_JA };
#define LANGUAGES 2

/* From "ja", "en", a locale name such as "ja_JP.UTF-8", or NULL (then LC_ALL, LC_MESSAGES, LANG).
 * Default English. */
enum lang lang_choose(const char *wish);
const char *lang_name(enum lang l); /* "en" or "ja" */

const char *message_format(enum message m, enum lang l); /* the bare format; never NULL */
int message_text(char *out, size_t size, enum lang l, enum message m, ...);
int message_vtext(char *out, size_t size, enum lang l, enum message m, va_list ap);
void message_print(FILE *to, enum lang l, enum message m, ...);

#endif
