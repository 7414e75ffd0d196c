"""Ask the model that ``make demo`` trained: which library is this docstring from?"""

import effauto

model = effauto.load("out/model")
for text in (
    "Return the shortest path between two nodes of a weighted graph.",
    "Compile the statement and emit it on the given database connection.",
    "Fit the estimator to the training vectors X and the targets y.",
):
    print(f"{text}  ->  {model.predict([text])[0]}")
