/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/sentence.h"

bool sentence_said(const struct sentence *s)
{
	return s->text[0][0] != '\0';
}

void sentence_forget(struct sentence *s)
{
	*s = (struct sentence){ 0 };
}

void sentence_vsay(struct sentence *ret, enum message m, va_list ap)
{
	for (int l = 0; l < LANGUAGES; l++) {
		va_list again;

		va_copy(again, ap);
		message_vtext(ret->text[l], sizeof(ret->text[l]), (enum lang)l, m, again);
		va_end(again);
	}
}

void sentence_say(struct sentence *ret, enum message m, ...)
{
	va_list ap;

	va_start(ap, m);
	sentence_vsay(ret, m, ap);
	va_end(ap);
}

json_t *sentence_json(const struct sentence *s)
{
	json_t *j;

	if (!sentence_said(s))
		return json_null();
	j = json_object();
	for (int l = 0; l < LANGUAGES; l++)
		json_object_set_new(j, lang_name((enum lang)l), json_text(s->text[l]));
	return j;
}

json_t *json_sentence(enum message m, ...)
{
	struct sentence said = { 0 };
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&said, m, ap);
	va_end(ap);
	return sentence_json(&said);
}
