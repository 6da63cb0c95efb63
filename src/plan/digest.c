/*
 * The digest of a table: SHA-256 over every step's address, action, planned values, edges and gate, folded in blocks. Two plans
 * with the same digest do the same; values are in it by their own digests, so that no secret is near the text.
 */
#include <string.h>
#include "plan/evaluation.h"

enum { BLOCK = 1 << 16 };

static void fold(unsigned char digest[32], struct text *block)
{
        char hex[65];
        text_hex(digest, 32, hex);
        text_add(block, hex);
        cleanup(value_free) struct value *v = value_string_n(block->data, block->len);
        value_digest(v, digest);
        text_clear(block);
}

static void add_value(struct text *block, const char *name, const struct value *v)
{
        if (v == NULL) return;
        unsigned char digest[32];
        char hex[65];
        value_digest(v, digest);
        text_hex(digest, 32, hex);
        text_addf(block, " %s:%s", name, hex);
}

void digest_build(struct plan *plan)
{
        struct text block = {0};
        /* All that the steps do not say (approvers, timeouts, policies, provider settings) stands in the sources. */
        text_addn(&block, plan->input->env->digest, sizeof plan->input->env->digest);
        const struct way_back *back = plan->input->back;
        if (back != NULL)
                text_addf(&block, "back to %s from %s for %s, outputs %d\n", back->run ? back->run : "",
                    back->base ? back->base : "", back->undoes ? back->undoes : "", (int)back->outputs);
        for (size_t i = 0; back != NULL && i < back->returning_count; i++)
                text_addf(&block, "returning %zu:%s\n", strlen(back->returning[i]), back->returning[i]);
        for (size_t i = 0; back != NULL && i < back->absent_count; i++)
                text_addf(&block, "absent %zu:%s\n", strlen(back->absent[i]), back->absent[i]);
        for (size_t i = 0; back != NULL && i < back->released_count; i++)
                text_addf(&block, "released %zu:%s\n", strlen(back->released[i]), back->released[i]);
        for (size_t i = 0; back != NULL && i < back->made_count; i++)
                text_addf(&block, "made %zu:%s\n", strlen(back->made[i]), back->made[i]);
        if (back != NULL && back->since_ms != 0) text_addf(&block, "since %lld\n", (long long)back->since_ms);
        for (size_t i = 0; i < plan->input->accepted_count; i++)
                text_addf(
                    &block, "accepted %zu:%s\n", strlen(plan->input->accepted[i]), plan->input->accepted[i]);
        for (size_t s = 0; s < plan->count; s++) {
                const struct step *step = &plan->steps[s];
                text_addf(&block, "%s %s %s", action_name(step->action), step->type ? step->type : "",
                    step->provider ? step->provider : "");
                text_addf(&block, " %zu:%s %zu:%s", strlen(step->address), step->address,
                    strlen(step->deposed), step->deposed);
                if (step->account != NULL)
                        text_addf(&block, " at %zu:%s", strlen(step->account), step->account);
                if (step->recovery_of != NULL)
                        text_addf(&block, " for %zu:%s", strlen(step->recovery_of), step->recovery_of);
                if (step->gate != NULL) text_addf(&block, " gate %s", step->gate);
                if (step->open != NULL)
                        text_addf(
                            &block, " open %s/%lld", step->open->row->run, (long long)step->open->row->step);
                add_value(&block, "prior", step->prior);
                add_value(&block, "planned", step->planned);
                add_value(&block, "host", step->host);
                text_add(&block, " after");
                for (size_t a = 0; a < step->after_count; a++) text_addf(&block, " %u", step->after[a]);
                text_addc(&block, '\n');
                if (block.len > BLOCK) fold(plan->digest, &block);
        }
        for (size_t i = 0; i < plan->deferred_count; i++)
                text_addf(&block, "deferred %s\n", plan->deferred[i].address);
        add_value(&block, "outputs", plan->outputs);
        fold(plan->digest, &block);
        text_release(&block);
}
