import os

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import PlainTextResponse

import edgeauth
from edgeauth_fastapi import SignedIn

audience = os.environ["AUDIENCE"]
edge = edgeauth.Verifier(os.environ["API"], interval=0.2, **({"assertion": True, "audience": audience} if audience else {}))
app = FastAPI()


@app.get("/", response_class=PlainTextResponse)
def user(claims: dict = Depends(SignedIn(edge))):
    return " ".join([claims["sub"], *claims.get("roles", [])])


uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
