"""Ask a language model behind an OpenAI-compatible address, once for each question."""

from urllib.error import HTTPError

from codomain.core import UserError
from codomain.core.server import KEY, NoAnswerError, Server, address

_NEEDED = "http://host/v1 or https://host/v1, without a user name or password"


class Chat:
    """Answers from POST {url}/chat/completions.

    Parameters
    ----------
    url : str
        The API's address, as in http://host/v1.
    model : str
        Name of the model there.
    tries : int, default=4
        Requests made for one question before giving up; empty answers count.
    pause : float, default=1.0
        Seconds before the second try; doubled for each later one.
    timeout : float, default=120.0
        Seconds without an answer that count as a failure.
    """

    def __init__(
        self, url: str, model: str, *, tries: int = 4, pause: float = 1.0, timeout: float = 120.0
    ) -> None:  # fmt: skip
        address(url, _NEEDED)
        self._model, self._tries = model, tries
        self._server = Server(
            url.rstrip("/") + "/chat/completions", "Questions", tries=tries, pause=pause, timeout=timeout
        )  # fmt: skip

    def ask(self, question: str) -> str:
        """Return the answer to one question; temporary failures are tried again."""
        body = {"model": self._model, "messages": [{"role": "user", "content": question}]}
        failure = ""
        for _ in range(self._tries):
            try:
                return str(self._server.post(body)["choices"][0]["message"]["content"])
            except HTTPError as error:
                with error:
                    failure = f"HTTP {error.code}"
                break
            except NoAnswerError as error:
                failure = str(error)
                break
            except (KeyError, IndexError, TypeError):
                failure = "the answer has no choices[0].message.content"
        raise UserError(
            f"{self._server.host} gave no answer; the last failure: {failure}.",
            needed=f"an OpenAI-compatible server with the model {self._model!r}",
            todo=f"check the address (most servers want /v1), the model's name and {KEY}",
        )
