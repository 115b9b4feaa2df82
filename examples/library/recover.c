/*
 * A sentence becomes a gradient, as a participant of federated learning shares it, and the gradient the sentence again.
 * Compile: cc recover.c -o recover $(pkg-config --cflags --libs dlg-text)
 */
#include <dlg/dlg.h>
#include <stdio.h>

/* The participant: all that leaves this function is the gradient. */
static dlg_status share(dlg_gradient **out, const dlg_model *model, const char *sentence, dlg_error *err)
{
    dlg_texts *texts = NULL;
    dlg_truth *step = NULL;
    dlg_status status = dlg_texts_create(&texts, err);
    if (!status) status = dlg_texts_add(texts, sentence, err);
    if (!status) status = dlg_truth_of_texts(&step, model, texts, NULL, err);
    if (!status) status = dlg_gradient_compute(out, model, step, 0, NULL, 0, err);
    dlg_truth_free(step);
    dlg_texts_free(texts);
    return status;
}

static void show(void *payload, dlg_attack *attack)
{
    const dlg_attack_numbers now = dlg_attack_numbers_of(attack);
    (void)payload;
    fprintf(stderr, "iteration %zu, distance %.1e\n", now.iteration, now.distance_of_tokens);
}

/* The attacker, who is told nothing. */
static dlg_status recover(const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_observer observer = {.iteration = show};
    dlg_attack *attack = NULL;
    dlg_status status = dlg_attack_create(&attack, gradient, NULL, err);
    if (!status) status = dlg_attack_run(attack, &observer, err);
    for (size_t b = 0; !status && b < dlg_attack_n_sentences(attack); b++) {
        const char *text = dlg_attack_text(attack, b);
        printf("%s%s\n", dlg_attack_is_recovered(attack) ? "" : "only a guess: ", text ? text : "(no memory)");
    }
    dlg_attack_free(attack);
    return status;
}

int main(int argc, char **argv)
{
    dlg_model *model = NULL;
    dlg_gradient *gradient = NULL;
    dlg_error err;
    dlg_status status = dlg_machine_start(0, 0, &err);
    if (!status) status = dlg_model_open(&model, NULL, &err);
    if (!status) status = share(&gradient, model, argc > 1 ? argv[1] : "We invite submissions.", &err);
    if (!status) status = recover(gradient, &err);
    if (status) fprintf(stderr, "%s\n", err.message);
    dlg_gradient_free(gradient);
    dlg_model_free(model);
    return status != DLG_OK;
}
