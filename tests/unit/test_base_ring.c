/* Rings: order, removal anywhere, places that are in none. */
#include "tap.h"

#include "base/ring.h"

struct thing {
        char name;
        struct ring place;
};

static const char *names(const struct ring *head)
{
        static char text[16];
        size_t len = 0;
        for (const struct ring *p = head->next; p != head; p = p->next)
                text[len++] = ring_owner(p, struct thing, place)->name;
        text[len] = '\0';
        for (const struct ring *p = head->prev; p != head; p = p->prev)
                if (text[--len] != ring_owner(p, struct thing, place)->name) return "crooked";
        return text;
}

int main(void)
{
        struct ring head;
        struct thing a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};
        ring_init(&head);
        ok(ring_first(&head) == NULL, "nobody is in a new ring");
        ring_remove(&a.place);
        is_str(names(&head), "", "removing what is in none does nothing");
        ring_add_last(&head, &a.place);
        ring_add_last(&head, &b.place);
        ring_add_first(&head, &c.place);
        is_str(names(&head), "cab", "first and last");
        ok(ring_first(&head) == &c.place, "the first one");
        ring_remove(&a.place);
        is_str(names(&head), "cb", "one from the middle");
        ring_remove(&a.place);
        is_str(names(&head), "cb", "once is enough");
        ring_add_behind(&c.place, &a.place);
        is_str(names(&head), "cab", "back behind another");
        for (struct ring *place; (place = ring_take_first(&head)) != NULL;)
                if (place->next != NULL) ok(false, "a place that was taken is in no ring");
        is_str(names(&head), "", "all of them");
        return done();
}
